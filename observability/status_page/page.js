// Marks the page as stale once it is too old, and shows a newer one when there is one.
(function () {
  var body = document.body, checked = Date.parse(body.dataset.checked), after = Number(body.dataset.after) * 1000;
  function mark() {
    if (!(Date.now() - checked > after)) { return; }
    body.classList.add("stale");
    document.getElementById("stale").hidden = false;
    var whole = document.getElementById("whole");
    whole.textContent = body.dataset.unknown;
    whole.className = "card whole unknown";
    document.querySelectorAll(".now").forEach(function (state) {
      state.textContent = body.dataset.word;
      state.className = "state now unknown";
    });
  }
  function newer() {
    fetch("status.json", { cache: "no-store" }).then(function (answer) {
      return answer.ok ? answer.json() : null;
    }).then(function (found) {
      if (found && found.checked && Date.parse(found.checked) > checked) { location.reload(); }
    }).catch(function () {});
  }
  mark();
  setInterval(mark, 5000);
  setInterval(newer, 30000);
})();
