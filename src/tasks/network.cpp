#include "src/tasks/network.h"

#include "unroll/error.h"
#include "unroll/layers.h"
#include "unroll/recurrent.h"

namespace unroll::tasks {

namespace {

Network with(const Layer& layer, std::string label, Index window) {
  return {Sequential({InputLayer({.shape = {window, 1}}), layer, Dense(1)}), std::move(label)};
}

}  // namespace

Network network(const std::string& kind, Index units, Index window) {
  const std::string size = "(" + std::to_string(units) + ")";
  if (kind == "simple_rnn") return with(SimpleRNN(units), "SimpleRNN" + size, window);
  if (kind == "gru") return with(GRU(units), "GRU" + size, window);
  if (kind == "lstm") return with(LSTM(units), "LSTM" + size, window);
  throw Error(ErrorKind::value, "forecast: no such model",
              {.got = "\"" + kind + "\"", .want = "simple_rnn, gru or lstm"});
}

Network lesson_network(Index window) {
  return with(SimpleRNN(50, {.activation = "relu"}), "SimpleRNN(50)", window);
}

}  // namespace unroll::tasks
