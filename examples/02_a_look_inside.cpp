// A functional model, a slice of it, and a look at its hidden states.
//
// Reviews of 100 word numbers; a review is positive if word 7 occurs in its second half. The model
// reads them with a SimpleRNN; a second model, made of the same layers, shows what the RNN's units
// do at every step.
#include <iostream>

#include "unroll/unroll.h"

using namespace unroll;

int main() {
  // 512 made-up reviews: word 7 at one place of every second one.
  Tensor reviews({512, 100}, DType::int32), labels({512, 1});
  auto words_of = reviews.values<std::int32_t>();
  for (Index row = 0; row < 512; ++row) {
    for (Index t = 0; t < 100; ++t) {
      words_of[static_cast<std::size_t>(row * 100 + t)] =
          static_cast<std::int32_t>(8 + (row * 31 + t * 17) % 480);
    }
    if (row % 2 == 0) words_of[static_cast<std::size_t>(row * 100 + 80 + row % 20)] = 7;
    labels.floats()[row] = row % 2 == 0 ? 1.0f : 0.0f;
  }

  Symbol words = Input({.shape = {100}, .name = "words"});
  Symbol h = Embedding(500, 16)(words);
  h = SimpleRNN(10, {.return_sequences = true, .name = "rnn_layer"})(h);  // (batch, time, 10)
  Symbol last = h[{all, -1, all}];                                        // (batch, 10)
  Symbol positive = Dense(1, {.activation = "sigmoid"})(last);

  Model model({.inputs = {words}, .outputs = {positive}, .name = "reviews"});
  model.compile({.optimizer = Adam{.learning_rate = 1e-2},
                 .loss = "binary_crossentropy",
                 .metrics = {"accuracy"},
                 .seed = 1});
  History history = model.fit(reviews, labels, {.batch_size = 16, .epochs = 10});
  std::cout << model.summary() << "accuracy " << history["accuracy"].back() << "\n";

  Model inside({.inputs = {words}, .outputs = {model.get_layer("rnn_layer").output()}});
  Tensor hidden = inside.predict(reviews);  // (512, 100, 10): the same weights
  std::cout << "hidden states " << hidden.shape().to_string()
            << ", unit 0 of review 0 at the end: " << hidden.at({0, 99, 0}) << "\n";
  return history["accuracy"].back() >= 0.9 ? 0 : 1;  // must reach 0.9
}
