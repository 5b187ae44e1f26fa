// BatchNormalization, in ordinary operations.
#include <algorithm>
#include <cmath>

#include "src/autograd/dispatch.h"
#include "src/layers/plain.h"
#include "src/layers/streamed.h"

namespace unroll {

namespace {

class BatchNormalizationImpl : public LayerImpl {
 public:
  BatchNormalizationImpl() = default;
  explicit BatchNormalizationImpl(const BatchNormalizationOptions& options) : options_(options) {}
  std::string_view class_name() const override { return "BatchNormalization"; }
  void describe(Describer& d) override {
    d.field("axis", options_.axis);
    d.field("momentum", options_.momentum);
    d.field("epsilon", options_.epsilon);
    d.field("center", options_.center);
    d.field("scale", options_.scale);
    d.field("beta_initializer", options_.beta_initializer);
    d.field("gamma_initializer", options_.gamma_initializer);
    d.field("moving_mean_initializer", options_.moving_mean_initializer);
    d.field("moving_variance_initializer", options_.moving_variance_initializer);
    d.field("beta_regularizer", options_.beta_regularizer);
    d.field("gamma_regularizer", options_.gamma_regularizer);
    d.field("beta_constraint", options_.beta_constraint);
    d.field("gamma_constraint", options_.gamma_constraint);
  }
  Order order() const override { return Order::any; }
  MaskRule mask_rule() const override { return MaskRule::pass; }
  bool whole_batch() const override { return true; }
  Streaming streaming(std::span<const Shape>) const override { return Streaming::stepwise; }
  std::shared_ptr<const StreamedLayer> streamed(const StreamRequest& request) const override {
    if (vector_size(request) < 0) return nullptr;
    std::vector<float> factor = kept_numbers(moving_variance_), shift = kept_numbers(moving_mean_);
    const std::vector<float> gamma = kept_numbers(gamma_), beta = kept_numbers(beta_);
    for (std::size_t i = 0; i < factor.size(); ++i) {
      factor[i] = 1 / std::sqrt(factor[i] + static_cast<float>(options_.epsilon));
      if (!gamma.empty()) factor[i] *= gamma[i];
      shift[i] = (beta.empty() ? 0 : beta[i]) - shift[i] * factor[i];
    }
    return step_function([factor, shift](const StepRun& s) {
      for (std::size_t i = 0; i < factor.size(); ++i) {
        s.outputs[0][i] = s.inputs[0][i] * factor[i] + shift[i];
      }
      return s.kept;
    });
  }

  void build(std::span<const Shape> inputs) override {
    expect_inputs(*this, inputs, 1);
    if (options_.axis != -1 && options_.axis != inputs[0].rank() - 1) {
      throw Error(ErrorKind::unsupported, titled(*this) + ": an axis that is not the last",
                  {.got = std::to_string(options_.axis), .want = "-1"});
    }
    const Shape features{inputs[0][-1]};
    const BatchNormalizationOptions& o = options_;
    if (o.scale) {
      gamma_ = &weight("gamma", features, o.gamma_initializer, o.gamma_regularizer, true,
                       o.gamma_constraint);
    }
    if (o.center) {
      beta_ = &weight("beta", features, o.beta_initializer, o.beta_regularizer, true,
                      o.beta_constraint);
    }
    moving_mean_ = &weight("moving_mean", features, o.moving_mean_initializer, {}, false);
    moving_variance_ =
        &weight("moving_variance", features, o.moving_variance_initializer, {}, false);
  }
  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override {
    return {inputs[0]};
  }

  Vars call(Call& call, const Vars& inputs) override {
    const Var& x = inputs[0];
    const Var flat = reshape(x, {unknown, x.shape()[-1]});
    Var average, variance;
    if (call.training() && trainable()) {
      const Var kept = weights_of(call, x);
      // With a mask Keras adds its epsilon to the number of steps; so there is no division by zero.
      const double count =
          call.mask() ? counted(kept) + 1e-7 : static_cast<double>(flat.shape()[0]);
      average = sum(flat * kept, 0) * (1 / count);
      const Var centred = flat - average;
      variance = sum(centred * centred * kept, 0) * (1 / count);
      move(*moving_mean_, average);
      move(*moving_variance_, variance);
    } else {
      average = call.use(*moving_mean_);
      variance = call.use(*moving_variance_);
    }
    Var y = (flat - average) / sqrt(variance + options_.epsilon);
    if (gamma_ != nullptr) y = y * call.use(*gamma_);
    if (beta_ != nullptr) y = y + call.use(*beta_);
    return {reshape(y, x.shape()).set_time_first(x.time_first())};
  }

 private:
  /// 1 for the rows of the flattened input that count, else 0. Shape (rows, 1).
  static Var weights_of(Call& call, const Var& x) {
    const Index rows = x.elements() / x.shape()[-1];
    Var kept = call.tape().result({rows, 1}, x.dtype(), false);
    const Mask mask = call.mask();
    with_float(x.dtype(), [&]<class T>() {
      T* weight = kept.data<T>();
      std::fill_n(weight, rows, T{1});
      if (!mask) return;
      for (Index i = 0; i < rows; ++i) {
        const Index t = x.time_first() ? i / mask.rows : i % mask.time;
        const Index r = x.time_first() ? i % mask.rows : i / mask.time;
        weight[i] = mask.data[t * mask.rows + r] != 0 ? T{1} : T{0};
      }
    });
    return kept;
  }
  static double counted(const Var& kept) {
    double count = 0;
    with_float(kept.dtype(), [&]<class T>() {
      for (Index i = 0; i < kept.elements(); ++i) count += static_cast<double>(kept.data<T>()[i]);
    });
    return count;
  }
  /// The lane is alone (whole_batch), so it may write.
  void move(Parameter& moving, const Var& now) const {
    Tensor next = moving.value().to(now.dtype());
    with_float(now.dtype(), [&]<class T>() {
      const T momentum = static_cast<T>(options_.momentum);
      auto to = next.values<T>();
      for (std::size_t i = 0; i < to.size(); ++i) {
        to[i] = to[i] * momentum + now.data<T>()[i] * (1 - momentum);
      }
    });
    moving.assign(next);
  }

  BatchNormalizationOptions options_;
  Parameter *gamma_ = nullptr, *beta_ = nullptr;
  Parameter *moving_mean_ = nullptr, *moving_variance_ = nullptr;
};

}  // namespace

BatchNormalization::BatchNormalization(const BatchNormalizationOptions& options)
    : Layer(named<BatchNormalizationImpl>(options.name, options)) {}

std::shared_ptr<LayerImpl> make_normalization(std::string_view class_name, Describer& options) {
  if (class_name == "BatchNormalization") return described<BatchNormalizationImpl>(options);
  return nullptr;
}

}  // namespace unroll
