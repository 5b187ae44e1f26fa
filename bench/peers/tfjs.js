// The training step p1 of bench/steps.cpp with TensorFlow.js, on its wasm backend. That one cannot
// train an embedding, and in plain JavaScript (its cpu backend) a step of p4 takes a minute.
//
//   node bench/peers/tfjs.js p1 [check]
//
// The packages are found through NODE_PATH.
'use strict';
const tf = require('@tensorflow/tfjs-core');
const layers = require('@tensorflow/tfjs-layers');
require('@tensorflow/tfjs-backend-wasm');
const common = require('./common.js');

function workload(name) {
  const model = layers.sequential();
  if (name !== 'p1') throw new Error(`tfjs: no such workload: ${name}`);
  model.add(layers.layers.simpleRNN({units: 50, activation: 'relu', inputShape: [50, 1],
    recurrentInitializer: 'glorotUniform'}));
  model.add(layers.layers.dense({units: 1}));
  return {model, x: tf.tensor(common.numbers(32 * 50), [32, 50, 1]),
    y: tf.tensor(common.numbers(32), [32, 1]), loss: 'meanSquaredError'};
}

// One step of gradient descent tells the gradient by the way the weights have gone.
async function check({model, x, y, loss}) {
  const rate = 1000;
  model.compile({optimizer: tf.train.sgd(rate), loss});
  model.setWeights(model.getWeights().map(
    (w, k) => tf.tensor(common.weight(w.size, k), w.shape)));
  const before = model.getWeights().map((w) => w.dataSync().slice());
  const values = [await model.trainOnBatch(x, y)];
  model.getWeights().forEach((w, k) => {
    const squares = w.dataSync().reduce((sum, after, i) => sum + (after - before[k][i]) ** 2, 0);
    values.push(Math.sqrt(squares) / rate);
  });
  common.printValues(values);
}

async function main() {
  const [name, what] = process.argv.slice(2);
  if (!await tf.setBackend('wasm')) throw new Error('tfjs: the wasm backend does not start');
  await tf.ready();
  const work = workload(name);
  if (what === 'check') return check(work);
  work.model.compile({optimizer: tf.train.adam(), loss: work.loss});
  const step = async () => {
    const begin = common.seconds();
    await work.model.trainOnBatch(work.x, work.y);
    return common.seconds() - begin;
  };
  await common.warmUp(step);
  return common.answer(step);
}

main().catch((error) => {
  console.error(String(error));
  process.exit(1);
});
