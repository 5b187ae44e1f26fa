// What the peers that run in node share: the numbers of bench/side.h, and how a program is asked.
'use strict';
const fs = require('node:fs');
const readline = require('node:readline');

function numbers(count, seed = 1) {
  const list = new Float32Array(count);
  let state = seed;
  for (let i = 0; i < count; ++i) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    list[i] = (state >>> 8) / 16777216;
  }
  return list;
}

// Weight number k of a model, in Keras's order and layout.
const weight = (count, k) => numbers(count, 100 + k).map((value) => 0.3 * (value - 0.5));

const ids = (count, vocabulary) =>
  Int32Array.from(numbers(count, 7), (u) => Math.trunc(u ** 3 * vocabulary));

const seconds = () => performance.now() / 1e3;

const peakKilobytes = () =>
  Number(/VmHWM:\s*(\d+)/.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1]);

async function warmUp(step) {
  const begin = seconds();
  for (let i = 0; i < 20 && seconds() - begin < 1; ++i) await step();
}

// Answers "go MILLISECONDS" lines until standard input ends; step resolves to its seconds.
async function answer(step) {
  console.log('ready');
  for await (const line of readline.createInterface({input: process.stdin})) {
    const limit = Number(line.split(' ')[1]) / 1e3;
    const times = [], begin = seconds();
    do {
      times.push(await step());
    } while (seconds() - begin < limit);
    times.sort((a, b) => a - b);
    console.log(JSON.stringify({
      min: times[0], median: times[times.length >> 1], steps: times.length,
      rss_kb: peakKilobytes(),
    }));
  }
}

const printPeak = () => console.log(JSON.stringify({rss_kb: peakKilobytes()}));
const printValues = (values) => console.log(JSON.stringify({values: Array.from(values)}));

module.exports = {answer, ids, numbers, printPeak, printValues, seconds, warmUp, weight};
