// Encoder and decoder with teacher forcing: sequences of digits are written out backwards.
#include <iostream>

#include "unroll/unroll.h"

using namespace unroll;

namespace {
constexpr Index rows = 2000, length = 5, digits = 6;

/// Digit t of row r, one of 1 .. 5; 0 is the start sign.
Index digit(Index r, Index t) { return 1 + (r * 7919 / (t * 13 + 1) + r * (t + 3)) % (digits - 1); }

void set(Tensor& one_hot, Index r, Index t, Index value) {
  one_hot.floats()[(r * length + t) * digits + value] = 1;
}
}  // namespace

int main() {
  Tensor source_x({rows, length, digits}), target_in({rows, length, digits}),
      target_out({rows, length, digits});
  for (Index r = 0; r < rows; ++r) {
    for (Index t = 0; t < length; ++t) {
      set(source_x, r, t, digit(r, t));
      set(target_out, r, t, digit(r, length - 1 - t));
      set(target_in, r, t, t == 0 ? 0 : digit(r, length - t));
    }
  }

  LSTM encoder(32, {.return_state = true, .name = "encoder"});
  LSTM decoder(32, {.return_sequences = true, .return_state = true, .name = "decoder"});
  Dense readout(digits, {.activation = "softmax", .name = "readout"});

  // Training: the decoder reads the true previous token.
  Symbol source = Input({.shape = {length, digits}}), target = Input({.shape = {length, digits}});
  auto [ignored, h, c] = encoder(source).unpack<3>();
  auto [words, h_end, c_end] = decoder(target, {h, c}).unpack<3>();
  Model trainer({.inputs = {source, target}, .outputs = {readout(words)}});
  trainer.compile({.optimizer = Adam{.learning_rate = 1e-2},
                   .loss = "categorical_crossentropy",
                   .metrics = {"categorical_accuracy"},
                   .seed = 1});
  History history = trainer.fit({source_x, target_in}, target_out, {.epochs = 12});

  // Sampling: the same layers, one token at a time; what was written is read next.
  Symbol token = Input({.shape = {1, digits}}), h_in = Input({.shape = {32}}),
         c_in = Input({.shape = {32}});
  auto [word, h_out, c_out] = decoder(token, {h_in, c_in}).unpack<3>();
  Model encode({.inputs = {source}, .outputs = {h, c}});
  Model step({.inputs = {token, h_in, c_in}, .outputs = {readout(word), h_out, c_out}});

  Index right = 0;
  for (Index r = 0; r < 100; ++r) {
    Tensors state = encode.predict(source_x.rows(r, r + 1));
    Tensor written = Tensor({1, 1, digits});
    written.floats()[0] = 1;  // the start sign
    bool all_right = true;
    for (Index t = 0; t < length; ++t) {
      Tensors out = step.predict({written, state[0], state[1]});
      Index best = 0;
      for (Index d = 1; d < digits; ++d) {
        if (out[0].at({0, 0, d}) > out[0].at({0, 0, best})) best = d;
      }
      all_right = all_right && best == digit(r, length - 1 - t);
      written = Tensor({1, 1, digits});
      written.floats()[best] = 1;
      state = {out[1], out[2]};
    }
    right += all_right ? 1 : 0;
  }
  std::cout << "forced: accuracy " << history["categorical_accuracy"].back()
            << "; on its own: " << right << " of 100 sequences right\n";
  return right >= 80 ? 0 : 1;  // must reach 80
}
