// Dropout and the activation layer.
#include "src/autograd/dispatch.h"
#include "src/kernels/vector.h"
#include "src/layers/noise.h"
#include "src/layers/plain.h"
#include "src/layers/streamed.h"

namespace unroll {

namespace {

class DropoutImpl : public ShapelessImpl {
 public:
  DropoutImpl() = default;
  DropoutImpl(double rate, const DropoutOptions& options)
      : rate_(probability("Dropout: rate", rate)), seed_(options.seed) {}
  std::string_view class_name() const override { return "Dropout"; }
  bool draws() const override { return true; }
  std::shared_ptr<const StreamedLayer> streamed(const StreamRequest& request) const override {
    return step_of_nothing(request);
  }
  void describe(Describer& d) override {
    d.field("rate", rate_);
    d.field("seed", seed_);
    probability("Dropout: rate", rate_);
  }

  Vars call(Call& call, const Vars& inputs) override {
    const Var& x = inputs[0];
    if (!call.training() || rate_ == 0) return {x};
    Var scale = call.tape().result(x.shape(), x.dtype(), false);
    scale.set_time_first(x.time_first());
    base::RandomRun random(random_of(call, *this, seed_));
    with_float(x.dtype(), [&]<class T>() {
      const T keep = rate_ < 1 ? static_cast<T>(1 / (1 - rate_)) : T{0};
      for_each_position(call, scale, [&](Index i, std::uint64_t position) {
        scale.data<T>()[i] = random.uniform(position) < rate_ ? T{0} : keep;
      });
    });
    return {x * scale};
  }

 private:
  double rate_ = 0.5;
  Index seed_ = -1;
};

class ActivationImpl : public ShapelessImpl {
 public:
  ActivationImpl() = default;
  explicit ActivationImpl(Activation activation) : activation_(activation) {}
  std::string_view class_name() const override { return "Activation"; }
  void describe(Describer& d) override { d.field("activation", activation_); }
  Vars call(Call&, const Vars& inputs) override { return {activate(inputs[0], activation_)}; }
  std::shared_ptr<const StreamedLayer> streamed(const StreamRequest& request) const override {
    const Index n = vector_size(request);
    if (n < 0) return nullptr;
    return step_function([n, activation = activation_](const StepRun& s) {
      kernels::activate(activation, 1, n, s.inputs[0], s.outputs[0]);
      return s.kept;
    });
  }

 private:
  Activation activation_;
};

}  // namespace

Dropout::Dropout(double rate, const DropoutOptions& options)
    : Layer(named<DropoutImpl>(options.name, rate, options)) {}
ActivationLayer::ActivationLayer(Activation activation, const NameOption& options)
    : Layer(named<ActivationImpl>(options.name, activation)) {}

std::shared_ptr<LayerImpl> make_regularizing(std::string_view class_name, Describer& options) {
  if (class_name == "Dropout") return described<DropoutImpl>(options);
  if (class_name == "Activation") return described<ActivationImpl>(options);
  return nullptr;
}

}  // namespace unroll
