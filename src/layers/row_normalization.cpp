// LayerNormalization and RMSNormalization: statistics of each row by itself.
#include <algorithm>

#include "src/autograd/dispatch.h"
#include "src/kernels/normalization.h"
#include "src/layers/plain.h"
#include "src/layers/streamed.h"

namespace unroll {

namespace {

/// The axes that are normalised, in ascending order and counted from the front.
/// Throws: Error (shape) for an axis that is not there, is the batch, or comes twice.
Shape checked_axes(const Component& layer, const Shape& given, int rank) {
  Shape axes;
  for (int axis = 1; axis < rank; ++axis) {
    const auto count = std::count_if(given.begin(), given.end(),
                                     [&](Index g) { return g == axis || g + rank == axis; });
    if (count == 1) axes.push_back(axis);
  }
  if (axes.rank() == given.rank() && !axes.empty()) return axes;
  throw Error(ErrorKind::shape, titled(layer) + ": no such axes beside the batch",
              {.got = given.to_string() + " of rank " + std::to_string(rank)});
}

class RowNormalizationImpl : public LayerImpl {
 public:
  // Statistics over the last axis alone do not care how the others lie.
  Order order() const override { return axis_ == Shape{-1} ? Order::any : Order::batch_first; }
  MaskRule mask_rule() const override { return MaskRule::pass; }
  Streaming streaming(std::span<const Shape> inputs) const override {
    const Shape axes = checked_axes(*this, axis_, inputs[0].rank());
    return axes[0] > 1 ? Streaming::stepwise : Streaming::never;
  }
  std::shared_ptr<const StreamedLayer> streamed(const StreamRequest& request) const override {
    const Index n = vector_size(request);
    if (n < 0) return nullptr;
    return step_function([n, centred = centred_, epsilon = static_cast<float>(epsilon_),
                          gamma = kept_numbers(gamma_),
                          beta = kept_numbers(beta_)](const StepRun& s) {
      const auto numbers = [](const auto& v) { return v.empty() ? nullptr : v.data(); };
      float mean = 0, factor = 0;
      kernels::normalize(1, n, centred, epsilon, s.inputs[0], numbers(gamma), numbers(beta),
                         s.outputs[0], &mean, &factor);
      return s.kept;
    });
  }

  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override {
    expect_inputs(*this, inputs, 1);
    return {inputs[0]};
  }

  Vars call(Call& call, const Vars& inputs) override {
    const Var& x = inputs[0];
    const Shape axes = checked_axes(*this, axis_, x.rank());
    const Var gamma = gamma_ != nullptr ? call.use(*gamma_) : Var();
    const Var beta = beta_ != nullptr ? call.use(*beta_) : Var();
    const bool trailing = axes[0] == x.rank() - axes.rank();
    return {trailing ? fused(x, gamma, beta, x.shape().product(static_cast<int>(axes[0]), x.rank()))
                     : stepwise(x, gamma, beta, axes)};
  }

 protected:
  RowNormalizationImpl(const Shape& axis, double epsilon, bool centred)
      : axis_(axis), epsilon_(epsilon), centred_(centred) {}

  /// The shape of gamma and beta.
  Shape normalized(std::span<const Shape> inputs) const {
    expect_inputs(*this, inputs, 1);
    Shape shape;
    for (const Index axis : checked_axes(*this, axis_, inputs[0].rank())) {
      shape.push_back(inputs[0][static_cast<int>(axis)]);
    }
    if (shape.known()) return shape;
    throw Error(ErrorKind::shape, titled(*this) + ": a normalised axis has no known size",
                {.got = inputs[0].to_string()});
  }

  Shape axis_;
  double epsilon_;
  bool centred_;
  Parameter *gamma_ = nullptr, *beta_ = nullptr;

 private:
  Var fused(const Var& x, const Var& gamma, const Var& beta, Index n) const {
    Tape& tape = x.tape();
    std::array<Var, 3> from{x};
    std::size_t count = 1;
    if (gamma) from[count++] = gamma;
    if (beta) from[count++] = beta;
    Var y = tape.result(x.shape(), std::span<const Var>(from.data(), count));
    y.set_time_first(x.time_first());
    const Index rows = x.elements() / n;
    const bool centred = centred_;
    with_float(x.dtype(), [&]<class T>() {
      const auto numbers = [](const Var& v) { return v ? v.data<T>() : nullptr; };
      T* means = tape.arena().take<T>(rows);
      T* factors = tape.arena().take<T>(rows);
      kernels::normalize(rows, n, centred, static_cast<T>(epsilon_), x.data<T>(), numbers(gamma),
                         numbers(beta), y.data<T>(), means, factors);
      tape.record(y, [=] {
        const auto wanted = [](const Var& v) {
          return v && v.needs_gradient() ? v.gradient<T>() : nullptr;
        };
        T *dx = wanted(x), *d_gamma = wanted(gamma), *d_beta = wanted(beta);
        base::Arena& arena = y.tape().arena();
        const auto before = arena.mark();
        kernels::normalize_gradient(rows, n, centred, x.data<T>(), numbers(gamma), means, factors,
                                    y.gradient<T>(), dx, d_gamma, d_beta, arena.take<T>(2 * n));
        arena.release(before);
      });
    });
    return y;
  }

  /// Axes that do not lie side by side, in ordinary operations.
  Var stepwise(const Var& x, const Var& gamma, const Var& beta, const Shape& axes) const {
    const auto average = [&](Var v) {
      for (const Index axis : axes) v = mean(v, static_cast<int>(axis), true);
      return v;
    };
    Shape wide;
    for (int axis = 0; axis < x.rank(); ++axis) {
      const bool inside = std::find(axes.begin(), axes.end(), axis) != axes.end();
      wide.push_back(inside ? x.shape()[axis] : 1);
    }
    const Var centred = centred_ ? x - average(x) : x;
    Var y = centred / sqrt(average(centred * centred) + epsilon_);
    if (gamma) y = y * reshape(gamma, wide);
    if (beta) y = y + reshape(beta, wide);
    return y;
  }
};

class LayerNormalizationImpl : public RowNormalizationImpl {
 public:
  explicit LayerNormalizationImpl(const LayerNormalizationOptions& options = {})
      : RowNormalizationImpl(options.axis, options.epsilon, true), options_(options) {}
  std::string_view class_name() const override { return "LayerNormalization"; }
  void describe(Describer& d) override {
    d.field("axis", axis_);
    d.field("epsilon", epsilon_);
    d.field("center", options_.center);
    d.field("scale", options_.scale);
    d.field("beta_initializer", options_.beta_initializer);
    d.field("gamma_initializer", options_.gamma_initializer);
    d.field("beta_regularizer", options_.beta_regularizer);
    d.field("gamma_regularizer", options_.gamma_regularizer);
    d.field("beta_constraint", options_.beta_constraint);
    d.field("gamma_constraint", options_.gamma_constraint);
  }
  void build(std::span<const Shape> inputs) override {
    const Shape shape = normalized(inputs);
    if (options_.scale) {
      gamma_ = &weight("gamma", shape, options_.gamma_initializer, options_.gamma_regularizer, true,
                       options_.gamma_constraint);
    }
    if (options_.center) {
      beta_ = &weight("beta", shape, options_.beta_initializer, options_.beta_regularizer, true,
                      options_.beta_constraint);
    }
  }

 private:
  LayerNormalizationOptions options_;
};

class RMSNormalizationImpl : public RowNormalizationImpl {
 public:
  explicit RMSNormalizationImpl(const RMSNormalizationOptions& options = {})
      : RowNormalizationImpl(options.axis, options.epsilon, false) {}
  std::string_view class_name() const override { return "RMSNormalization"; }
  void describe(Describer& d) override {
    d.field("axis", axis_);
    d.field("epsilon", epsilon_);
  }
  void build(std::span<const Shape> inputs) override {
    gamma_ = &weight("scale", normalized(inputs), "ones");
  }
};

}  // namespace

LayerNormalization::LayerNormalization(const LayerNormalizationOptions& options)
    : Layer(named<LayerNormalizationImpl>(options.name, options)) {}
RMSNormalization::RMSNormalization(const RMSNormalizationOptions& options)
    : Layer(named<RMSNormalizationImpl>(options.name, options)) {}

std::shared_ptr<LayerImpl> make_row_normalization(std::string_view class_name, Describer& options) {
  if (class_name == "LayerNormalization") return described<LayerNormalizationImpl>(options);
  if (class_name == "RMSNormalization") return described<RMSNormalizationImpl>(options);
  return nullptr;
}

}  // namespace unroll
