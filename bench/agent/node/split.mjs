// The function the agents are measured with, in Node.js; test/go/functions/variants is the same in Go.

function priceItems(n) {
  let sum = 0;
  for (let i = 0; i < n * 6; i++) sum += Math.sqrt(i * 1.1);
  return sum;
}

function checkStock(n) {
  let sum = 0;
  for (let i = 0; i < n * 3; i++) sum += Math.sqrt(i * 1.1);
  return sum;
}

function writeAudit(n) {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += Math.sqrt(i * 1.1);
  return sum;
}

/** Does 6 : 3 : 1 of its work in three functions, and nothing else worth mentioning. */
export const handler = async ({ units = 0 }) => {
  let sum = 0;
  for (let i = 0; i < units; i++) sum += priceItems(1.4e5) + checkStock(1.4e5) + writeAudit(1.4e5);
  return { sum };
};
