# Reads Alertmanager's answer to GET /api/v2/alerts, and prints the alerts to send, each as the body of a POST.
#
# An alert that a silenced alert mutes, and nothing else does, is sent with one label more, by which no rule mutes it.
# One that was sent so before, and for which that is no longer true, is sent as resolved. Texts are copied as they are,
# escapes and all; within a JSON text every quotation mark is escaped, so the patterns match whole fields only.

BEGIN {
    text = "\"([^\"\\\\]|\\\\.)*\""
    object = "\\{(" text ":" text ",?)*\\}"
    mark = "\"cause_silenced\":"
}

{ answer = answer $0 }

END {
    count = split(answer, parts, /\{"annotations":/)
    for (i = 2; i <= count; i++) read_alert(i, parts[i])
    for (i = 2; i <= count; i++) if (qualifies(i)) {
        cause = value(labels[by_fingerprint[inhibited[i]]], "alertname")
        wanted[labels[i]] = 1
        send(i, "{" mark cause "," substr(labels[i], 2), later)
    }
    for (i = 2; i <= count; i++)
        if (index(labels[i], mark) && !(unmarked(labels[i]) in wanted)) send(i, labels[i], now)
}

# The fields of an alert; its annotations and labels are cut out first, as they may have names of fields.
function read_alert(i, rest) {
    annotations[i] = match(rest, "^" object) ? substr(rest, 1, RLENGTH) : "{}"
    rest = substr(rest, RLENGTH > 0 ? RLENGTH + 1 : 1)
    if (match(rest, "\"labels\":" object)) {
        labels[i] = substr(rest, RSTART + 9, RLENGTH - 9)
        rest = substr(rest, 1, RSTART - 1) substr(rest, RSTART + RLENGTH)
    }
    starts[i] = value(rest, "startsAt")
    generator[i] = value(rest, "generatorURL")
    silenced[i] = listed(rest, "silencedBy")
    inhibited[i] = listed(rest, "inhibitedBy")
    by_fingerprint["\"" unquoted(value(rest, "fingerprint")) "\""] = i
}

function qualifies(i, source) {
    if (inhibited[i] == "" || silenced[i] != "" || index(labels[i], mark)) return 0
    source = by_fingerprint[inhibited[i]]
    if (!source || silenced[source] == "") return 0
    return !same_trouble(labels[source], labels[i])
}

# A warning and its critical: who silences the one does not want the other.
function same_trouble(source, target, name, i, names) {
    if (value(source, "severity") != "\"critical\"" || value(target, "severity") != "\"warning\"") return 0
    if (value(source, "condition") == "\"\"") return 0
    split("condition system instance route operation", names, " ")
    for (i in names) if (value(source, names[i]) != value(target, names[i])) return 0
    return 1
}

function send(i, with_labels, ends) {
    printf "[{\"labels\":%s,\"annotations\":%s,\"startsAt\":%s,\"endsAt\":\"%s\",\"generatorURL\":%s}]\n",
        with_labels, annotations[i], starts[i], ends, generator[i]
}

function unmarked(all) {
    sub(mark text ",?", "", all)
    sub(/,}$/, "}", all)
    return all
}

# The JSON text of a field, with its quotation marks; an empty text where there is none.
function value(within, name, start) {
    if (!match(within, "\"" name "\":" text)) return "\"\""
    start = RSTART + length(name) + 3
    return substr(within, start, RLENGTH - length(name) - 3)
}

# The first item of a list of texts; nothing where it is empty.
function listed(within, name, found) {
    if (!match(within, "\"" name "\":\\[" text)) return ""
    found = substr(within, RSTART, RLENGTH)
    sub("^\"" name "\":\\[", "", found)
    return found
}

function unquoted(quoted) {
    return substr(quoted, 2, length(quoted) - 2)
}
