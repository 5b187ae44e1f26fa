// A cell of a user's own, written in ordinary operations, obeys the laws and trains.
#include <gtest/gtest.h>

#include "tests/laws/rig.h"
#include "unroll/layers.h"
#include "unroll/model.h"
#include "unroll/recurrent.h"

namespace unroll {
namespace {

// Minimal gated unit. Source: Zhou et al., 2016.
//   f  = sigmoid(x Wf + h Rf + bf)
//   c  = tanh(x Wc + (f * h) Rc + bc)
//   h' = (1 - f) * h + f * c
class MGUCell : public CellImpl {
 public:
  explicit MGUCell(Index units) : units_(units) {}
  std::string_view class_name() const override { return "MGUCell"; }
  std::vector<Index> state_sizes() const override { return {units_}; }

  void build_cell(Index features) override {
    kernel_ = &weight("kernel", {features, 2 * units_}, "glorot_uniform");
    recurrent_f_ = &weight("recurrent_f", {units_, units_}, "orthogonal");
    recurrent_c_ = &weight("recurrent_c", {units_, units_}, "orthogonal");
    bias_ = &weight("bias", {2 * units_}, "zeros");
  }

  Step step(Call& call, const Var& x, const Vars& states) override {
    const Var& h = states[0];
    const Var z = matmul(x, call.use(*kernel_)) + call.use(*bias_);
    const Var f = sigmoid(z[{all, range(0, units_)}] + matmul(h, call.use(*recurrent_f_)));
    const Var c =
        tanh(z[{all, range(units_, 2 * units_)}] + matmul(f * h, call.use(*recurrent_c_)));
    const Var next = (1 - f) * h + f * c;
    return {next, {next}};
  }

 private:
  Index units_;
  Parameter *kernel_{}, *recurrent_f_{}, *recurrent_c_{}, *bias_{};
};

TEST(UserCell, PassesTheGradientCheck) {
  const Tensor values = noise({3, 5, 4}, 20),
               mask =
                   Tensor::of<std::uint8_t>({3, 5}, {1, 1, 1, 1, 0, 0, 1, 0, 1, 1, 1, 1, 1, 1, 1});
  for (const bool masked : {false, true}) {
    const Symbol x = Input({.shape = {5, 4}}), kept = Input({.shape = {5}});
    const RNN layer(make<MGUCell>(6), {.return_sequences = true, .return_state = true});
    const Symbol used = layer.connect(x, masked ? kept : Symbol());
    Rig rig(masked ? Symbols{x, kept} : Symbols{x}, outputs_of(used),
            masked ? std::vector<Tensor>{values, mask} : std::vector<Tensor>{values}, {});
    const double error = gradient_error(rig);
    note_gradient_error("MGU (a user's cell)", error);
    EXPECT_LT(error, 1e-6);
  }
}

TEST(UserCell, StacksAndTrainsAndKeepsState) {
  const Tensor x = noise({64, 8, 2}, 30, 1, DType::float32);
  Tensor y({64, 1});
  for (Index r = 0; r < 64; ++r) y.floats()[r] = x.floats()[r * 16] * x.floats()[r * 16 + 14];
  Sequential model{RNN(make<MGUCell>(8), {.return_sequences = true}), RNN(make<MGUCell>(6)),
                   Dense(1)};
  model.compile({.optimizer = Adam{.learning_rate = 0.01}, .loss = "mse", .seed = 1});
  const History history = model.fit(x, y, {.batch_size = 16, .epochs = 150});
  EXPECT_LT(history["loss"].back(), 0.2 * history["loss"].front());

  const Symbol tick = Input({.shape = {unknown, 2}});
  Model stateful(
      {.inputs = {tick},
       .outputs = {RNN(make<MGUCell>(4), {.return_sequences = true, .stateful = true})(tick)}});
  const Tensor once = stateful.predict(x, {.batch_size = 64});
  const Tensor twice = stateful.predict(x, {.batch_size = 64});
  EXPECT_GT(distance(once, twice), 1e-4);
  stateful.reset_states();
  EXPECT_EQ(distance(once, stateful.predict(x, {.batch_size = 64})), 0);
}

TEST(UserCell, NeedsABackwardLayerInBidirectional) {
  EXPECT_THROW(Bidirectional(RNN(make<MGUCell>(2))), std::exception);
  const Symbol x = Input({.shape = {5, 4}});
  const Bidirectional both(RNN(make<MGUCell>(2)), RNN(make<MGUCell>(2), {.go_backwards = true}));
  EXPECT_EQ(both(x).shape().to_string(), "(None, 4)");
}

}  // namespace
}  // namespace unroll
