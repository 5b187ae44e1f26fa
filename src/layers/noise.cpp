// SpatialDropout1D and GaussianNoise.
#include "src/layers/noise.h"

#include "src/autograd/dispatch.h"
#include "src/layers/plain.h"
#include "src/layers/streamed.h"

namespace unroll {

namespace {

class SpatialDropoutImpl : public ShapelessImpl {
 public:
  SpatialDropoutImpl() = default;
  SpatialDropoutImpl(double rate, const NoiseOptions& options)
      : rate_(probability("SpatialDropout1D: rate", rate)), seed_(options.seed) {}
  std::string_view class_name() const override { return "SpatialDropout1D"; }
  bool draws() const override { return true; }
  std::shared_ptr<const StreamedLayer> streamed(const StreamRequest& request) const override {
    return step_of_nothing(request);
  }
  void describe(Describer& d) override {
    d.field("rate", rate_);
    d.field("seed", seed_);
    probability("SpatialDropout1D: rate", rate_);
  }
  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override {
    expect_inputs(*this, inputs, 1);
    if (inputs[0].rank() == 3) return {inputs[0]};
    throw Error(ErrorKind::shape, titled(*this) + ": the input has the wrong rank",
                {.got = inputs[0].to_string(), .want = "(batch, time, channels)"});
  }

  Vars call(Call& call, const Vars& inputs) override {
    const Var& x = inputs[0];
    if (!call.training() || rate_ == 0) return {x};
    const Index rows = call.rows(), channels = x.shape()[-1];
    const Shape shape = x.time_first() ? Shape{rows, channels} : Shape{rows, 1, channels};
    Var scale = call.tape().result(shape, x.dtype(), false);
    const base::Random random = random_of(call, *this, seed_);
    with_float(x.dtype(), [&]<class T>() {
      const T keep = rate_ < 1 ? static_cast<T>(1 / (1 - rate_)) : T{0};
      for_each_position(call, scale, [&](Index i, std::uint64_t position) {
        scale.data<T>()[i] = random.uniform(position) < rate_ ? T{0} : keep;
      });
    });
    return {(x * scale).set_time_first(x.time_first())};
  }

 private:
  double rate_ = 0.5;
  Index seed_ = -1;
};

class GaussianNoiseImpl : public ShapelessImpl {
 public:
  GaussianNoiseImpl() = default;
  GaussianNoiseImpl(double stddev, const NoiseOptions& options)
      : stddev_(stddev), seed_(options.seed) {
    check();
  }
  std::string_view class_name() const override { return "GaussianNoise"; }
  bool draws() const override { return true; }
  std::shared_ptr<const StreamedLayer> streamed(const StreamRequest& request) const override {
    return step_of_nothing(request);
  }
  void describe(Describer& d) override {
    d.field("stddev", stddev_);
    d.field("seed", seed_);
    check();
  }

  Vars call(Call& call, const Vars& inputs) override {
    const Var& x = inputs[0];
    if (!call.training() || stddev_ == 0) return {x};
    Var noise = call.tape().result(x.shape(), x.dtype(), false);
    noise.set_time_first(x.time_first());
    const base::Random random = random_of(call, *this, seed_);
    with_float(x.dtype(), [&]<class T>() {
      for_each_position(call, noise, [&](Index i, std::uint64_t position) {
        noise.data<T>()[i] = static_cast<T>(stddev_ * random.normal(position));
      });
    });
    return {x + noise};
  }

 private:
  void check() const {
    if (stddev_ >= 0) return;
    throw Error(ErrorKind::value, "GaussianNoise: stddev is negative",
                {.got = std::to_string(stddev_), .want = "0 or more"});
  }

  double stddev_ = 1;
  Index seed_ = -1;
};

}  // namespace

SpatialDropout1D::SpatialDropout1D(double rate, const NoiseOptions& options)
    : Layer(named<SpatialDropoutImpl>(options.name, rate, options)) {}
GaussianNoise::GaussianNoise(double stddev, const NoiseOptions& options)
    : Layer(named<GaussianNoiseImpl>(options.name, stddev, options)) {}

std::shared_ptr<LayerImpl> make_noise(std::string_view class_name, Describer& options) {
  if (class_name == "SpatialDropout1D") return described<SpatialDropoutImpl>(options);
  if (class_name == "GaussianNoise") return described<GaussianNoiseImpl>(options);
  return nullptr;
}

}  // namespace unroll
