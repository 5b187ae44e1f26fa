// A layer of your own: which step of a sequence matters is learned, and can be looked at.
#include <iostream>

#include "unroll/unroll.h"

using namespace unroll;

// Pools a sequence by attention.  Lin et al., "A structured self-attentive sentence embedding",
// 2017.
//   a = softmax over the steps of tanh(x W) v
//   y = sum over the steps of a * x
// x (batch, time, features) -> (batch, features), and a (batch, time).
class AttentionPoolingImpl : public LayerImpl {
 public:
  explicit AttentionPoolingImpl(Index units) : units_(units) {}
  std::string_view class_name() const override { return "AttentionPooling"; }

  void build(std::span<const Shape> inputs) override {
    kernel_ = &weight("kernel", {inputs[0][-1], units_}, "glorot_uniform");
    query_ = &weight("query", {units_, 1}, "glorot_uniform");
  }
  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override {
    const Shape& x = inputs[0];
    return {{x[0], x[2]}, {x[0], x[1]}};
  }
  Vars call(Call& call, const Vars& inputs) override {
    const Var& x = inputs[0];
    const Index rows = x.shape()[0], steps = x.shape()[1], features = x.shape()[2];
    Var flat = reshape(x, {rows * steps, features});
    Var scores = matmul(tanh(matmul(flat, call.use(*kernel_))), call.use(*query_));
    Var a = softmax(reshape(scores, {rows, steps}));
    return {sum(x * reshape(a, {rows, steps, 1}), 1), a};
  }

 private:
  Index units_;
  Parameter *kernel_{}, *query_{};
};

int main() {
  // One of 12 steps is marked; the answer is the number that stands there.
  Tensor x({800, 12, 2}), y({800, 1});
  std::uint32_t state = 1;
  const auto random = [&] {
    state = state * 1664525u + 1013904223u;
    return static_cast<float>(state >> 8) / 16777216.0f;
  };
  for (Index row = 0; row < 800; ++row) {
    const auto marked = static_cast<Index>(random() * 12);
    for (Index t = 0; t < 12; ++t) {
      float* step = x.floats() + (row * 12 + t) * 2;
      step[0] = random();
      step[1] = t == marked ? 1.0f : 0.0f;
      if (t == marked) y.floats()[row] = step[0];
    }
  }

  Symbol sequence = Input({.shape = {12, 2}});
  auto [pooled, attention] = Layer(std::make_shared<AttentionPoolingImpl>(8))(sequence).unpack<2>();
  Model model({.inputs = {sequence}, .outputs = {Dense(1)(pooled)}});
  model.compile({.optimizer = Adam{.learning_rate = 1e-2}, .loss = "mse", .seed = 3});
  History history = model.fit(x, y, {.batch_size = 50, .epochs = 150});

  // The same weights, another output: where the layer looks in the first sequence.
  Model inside({.inputs = {sequence}, .outputs = {attention}});
  Tensor looked = inside.predict(x)[0];
  std::cout << "mean squared error " << history["loss"].back()
            << " (the mean alone: 0.083)\nstep  marked  attention\n";
  for (Index t = 0; t < 12; ++t) {
    std::cout << t << "     " << x.at({0, t, 1}) << "       " << looked.at({0, t}) << "\n";
  }
  return history["loss"].back() < 0.01 ? 0 : 1;  // must reach 0.01
}
