// Inference of bench/step.cpp and bench/predict.cpp with ONNX Runtime.
//
//   node bench/peers/onnx.js MODEL.onnx THREADS        one call a step, states carried by the caller
//   node bench/peers/onnx.js MODEL.onnx THREADS check  what the third step gives
//   node bench/peers/onnx.js MODEL.onnx THREADS once   a process that loads, predicts once and ends
//
// The package is found through NODE_PATH.
'use strict';
const ort = require('onnxruntime-node');
const common = require('./common.js');

async function main() {
  const [path, threads, what] = process.argv.slice(2);
  const session = await ort.InferenceSession.create(
    path, {intraOpNumThreads: Number(threads), interOpNumThreads: 1, executionMode: 'sequential'});
  const feeds = {};
  for (const {name, shape} of session.inputMetadata) {
    const count = shape.reduce((a, b) => a * b, 1);
    let values = new Float32Array(count);
    if (name === 'x') values = shape[1] === 1 ? values.fill(0.3) : timeFirst(shape);
    feeds[name] = new ort.Tensor('float32', values, shape);
  }
  const call = async () => {
    const results = await session.run(feeds);
    for (const state of ['h', 'c']) {
      if (feeds[state]) feeds[state] = results[`next_${state}`];
    }
    return results.next_h;
  };
  if (what === 'once') {
    await call();
    return common.printPeak();
  }
  if (what === 'check') {
    for (let i = 0; feeds.h && i < 2; ++i) await call();
    return common.printValues((await call()).data);
  }
  const calls = feeds.h ? 20 : 1;  // a step is too short for the clock
  const step = async () => {
    const begin = common.seconds();
    for (let i = 0; i < calls; ++i) await call();
    return (common.seconds() - begin) / calls;
  };
  await common.warmUp(step);
  return common.answer(step);
}

// (time, batch, features) of what the others read as (batch, time, features).
function timeFirst([time, batch, features]) {
  const from = common.numbers(time * batch * features), to = new Float32Array(from.length);
  for (let b = 0; b < batch; ++b) {
    for (let t = 0; t < time; ++t) {
      const row = from.subarray((b * time + t) * features, (b * time + t + 1) * features);
      to.set(row, (t * batch + b) * features);
    }
  }
  return to;
}

main().catch((error) => {
  console.error(String(error));
  process.exit(1);
});
