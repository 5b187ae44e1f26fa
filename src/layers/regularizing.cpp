// Dropout and the activation layer.
#include <algorithm>

#include "src/autograd/dispatch.h"
#include "src/base/random.h"
#include "src/layers/plain.h"

namespace unroll {

namespace {

class DropoutImpl : public ShapelessImpl {
 public:
  DropoutImpl() = default;
  explicit DropoutImpl(double rate) : rate_(rate) {
    if (!(rate >= 0 && rate <= 1)) {
      throw Error(ErrorKind::value, "Dropout: rate is not a probability",
                  {.got = std::to_string(rate), .want = "0 to 1"});
    }
  }
  std::string_view class_name() const override { return "Dropout"; }
  void describe(Describer& d) override { d.field("rate", rate_); }

  Vars call(Call& call, const Vars& inputs) override {
    const Var& x = inputs[0];
    if (!call.training() || rate_ == 0) return {x};
    Var scale = call.tape().result(x.shape(), x.dtype(), false);
    with_float(x.dtype(), [&]<class T>() { fill<T>(call, x, scale.data<T>()); });
    return {x * scale};
  }

 private:
  /// A number's fate depends on its row of the batch and its place in the row, not on the lane.
  template <class T>
  void fill(const Call& call, const Var& x, T* scale) const {
    const base::Random random(call.seed(), call.stream(*this));
    const T keep = rate_ < 1 ? static_cast<T>(1 / (1 - rate_)) : T{0};
    const Index rows = call.rows(), per_row = x.elements() / std::max<Index>(rows, 1);
    const Index time = x.time_first() ? x.shape()[0] : 1;
    const Index inner = per_row / time;
    for (Index t = 0; t < time; ++t) {
      for (Index r = 0; r < rows; ++r) {
        const Index start = (call.first_row() + r) * per_row + t * inner;
        for (Index i = 0; i < inner; ++i) {
          const double draw = random.uniform(static_cast<std::uint64_t>(start + i));
          *scale++ = draw < rate_ ? T{0} : keep;
        }
      }
    }
  }

  double rate_ = 0.5;
};

class ActivationImpl : public ShapelessImpl {
 public:
  ActivationImpl() = default;
  explicit ActivationImpl(Activation activation) : activation_(activation) {}
  std::string_view class_name() const override { return "Activation"; }
  void describe(Describer& d) override { d.field("activation", activation_); }
  Vars call(Call&, const Vars& inputs) override { return {activate(inputs[0], activation_)}; }

 private:
  Activation activation_;
};

}  // namespace

Dropout::Dropout(double rate, const DropoutOptions& options)
    : Layer(named<DropoutImpl>(options.name, rate)) {}
ActivationLayer::ActivationLayer(Activation activation, const NameOption& options)
    : Layer(named<ActivationImpl>(options.name, activation)) {}

std::shared_ptr<LayerImpl> make_regularizing(std::string_view class_name, Describer& options) {
  if (class_name == "Dropout") return described<DropoutImpl>(options);
  if (class_name == "Activation") return described<ActivationImpl>(options);
  return nullptr;
}

}  // namespace unroll
