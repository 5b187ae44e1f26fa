// A layer of a user's own, written in ordinary operations, obeys the laws and trains.
#include <gtest/gtest.h>

#include "tests/laws/rig.h"
#include "unroll/layers.h"
#include "unroll/model.h"
#include "unroll/recurrent.h"

namespace unroll {
namespace {

// Highway layer. Source: Srivastava, Greff, Schmidhuber, 2015.
//   t = sigmoid(x Wt + bt),  y = t * tanh(x Wh + bh) + (1 - t) * x
class HighwayLayer : public LayerImpl {
 public:
  std::string_view class_name() const override { return "Highway"; }
  Order order() const override { return Order::any; }
  MaskRule mask_rule() const override { return MaskRule::pass; }
  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override {
    return {inputs[0]};
  }

  void build(std::span<const Shape> inputs) override {
    const Index features = inputs[0][-1];
    kernel_ = &weight("kernel", {features, 2 * features}, "glorot_uniform");
    bias_ = &weight("bias", {2 * features}, "zeros");
  }

  Vars call(Call& call, const Vars& inputs) override {
    const Var& x = inputs[0];
    const Index rank = x.shape().rank(), features = x.shape()[-1];
    const Var flat = reshape(x, {x.elements() / features, features});
    const Var z = matmul(flat, call.use(*kernel_)) + call.use(*bias_);
    const Var t = sigmoid(z[{all, range(0, features)}]);
    const Var h = tanh(z[{all, range(features, 2 * features)}]);
    Var y = t * h + (1 - t) * flat;
    if (rank != 2) {
      y = reshape(y, x.shape());
      y.set_time_first(x.time_first());
    }
    return {y};
  }

 private:
  Parameter *kernel_{}, *bias_{};
};

Layer Highway() { return Layer(std::make_shared<HighwayLayer>()); }

TEST(UserLayer, PassesTheGradientCheck) {
  for (const bool sequence : {false, true}) {
    const Tensor values = sequence ? noise({3, 5, 4}, 20) : noise({6, 4}, 21);
    const Symbol x = Input({.shape = values.shape().slice(1, values.rank())});
    Rig rig({x}, outputs_of(Highway()(x)), {values}, {});
    const double error = gradient_error(rig);
    note_gradient_error("Highway (a user's layer)", error);
    EXPECT_LT(error, 1e-6);
    EXPECT_EQ(rig.outputs()[0].shape(), values.shape());
  }
}

TEST(UserLayer, StandsBetweenRecurrentLayersAndHandsOnMasks) {
  const Symbol ids = Input({.shape = {unknown}});
  const Symbol h = GRU(4, {.return_sequences = true})(Embedding(6, 3, {.mask_zero = true})(ids));
  Rig rig({ids}, {Highway()(h)}, {Tensor::of<std::int32_t>({2, 4}, {1, 2, 0, 0, 3, 4, 5, 0})}, {});
  const Tensor mask = rig.output_masks()[0];
  ASSERT_EQ(mask.elements(), 8);
  EXPECT_EQ(mask.at({0, 1}), 1);
  EXPECT_EQ(mask.at({0, 2}), 0);
  EXPECT_LT(gradient_error(rig), 1e-6);
}

TEST(UserLayer, TrainsAndSharesItsWeights) {
  const Tensor x = noise({64, 3}, 30, 1, DType::float32);
  Tensor y({64, 1});
  for (Index r = 0; r < 64; ++r) y.floats()[r] = x.floats()[r * 3] * x.floats()[r * 3 + 1];
  const Layer highway = Highway();
  Sequential model{Dense(8), highway, highway, Dense(1)};
  model.compile({.optimizer = Adam{.learning_rate = 0.02}, .loss = "mse", .seed = 1});
  const History history = model.fit(x, y, {.batch_size = 16, .epochs = 120});
  EXPECT_LT(history["loss"].back(), 0.2 * history["loss"].front());
  EXPECT_EQ(highway.count_params(), 8 * 16 + 16);
  EXPECT_EQ(model.count_params(), 3 * 8 + 8 + highway.count_params() + 9);
}

}  // namespace
}  // namespace unroll
