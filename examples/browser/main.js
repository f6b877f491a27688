// The page: an order is sent to the service, another one is looked up.
import { ask, report, start } from './reports.js';

const response = await fetch('settings.json'); // {dsn, environment, release, user}, from the server of the page.
await start(await response.json());

const state = document.getElementById('state');

document.getElementById('order').addEventListener('submit', async (event) => {
  event.preventDefault();
  const order = Object.fromEntries(new FormData(event.target));
  if (!(Number(order.quantity) > 0)) {
    // What a person typed is no error of the page: ValidationError is left out.
    report(Object.assign(new Error('quantity must be at least 1'), { name: 'ValidationError' }));
    state.textContent = 'Quantity must be at least 1.';
    return;
  }
  const answer = await ask('POST', '/orders', { ...order, quantity: Number(order.quantity) });
  state.textContent = answer.ok ? 'Ordered.' : 'The order failed.';
});

document.getElementById('find').addEventListener('click', async () => {
  const answer = await ask('GET', '/orders/99999');
  state.textContent = answer.ok ? 'Found.' : 'There is no such order.';
});

document.body.dataset.ready = 'yes';
