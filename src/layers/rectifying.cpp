// Activations with arguments or weights: LeakyReLU, PReLU, ELU, ReLU, Softmax.
#include <algorithm>
#include <limits>

#include "src/autograd/dispatch.h"
#include "src/kernels/vector.h"
#include "src/layers/masks.h"
#include "src/layers/plain.h"
#include "src/layers/streamed.h"

namespace unroll {

namespace {

/// y_i = f(x_i); its derivative is slope(x_i, y_i).
template <class F, class Slope>
Var pointwise(const Var& x, F f, Slope slope) {
  Var y = x.tape().result(x.shape(), {x});
  y.set_time_first(x.time_first());
  with_float(x.dtype(), [&]<class T>() { f(x.elements(), x.data<T>(), y.data<T>()); });
  x.tape().record(y, [x, y, slope] {
    with_float(x.dtype(), [&]<class T>() {
      const T *in = x.data<T>(), *out = y.data<T>(), *dy = y.gradient<T>();
      T* dx = x.gradient<T>();
      for (Index i = 0; i < x.elements(); ++i) dx[i] += dy[i] * slope(in[i], out[i]);
    });
  });
  return y;
}

void expect_not_negative(std::string_view what, double value) {
  if (value >= 0) return;
  throw Error(ErrorKind::value, std::string(what) + " is negative",
              {.got = std::to_string(value), .want = "0 or more"});
}

class LeakyReLUImpl : public ShapelessImpl {
 public:
  explicit LeakyReLUImpl(double negative_slope = 0.3) : negative_slope_(negative_slope) { check(); }
  std::string_view class_name() const override { return "LeakyReLU"; }
  void describe(Describer& d) override {
    d.field("negative_slope", negative_slope_);
    check();
  }
  Vars call(Call&, const Vars& inputs) override {
    return {pointwise(
        inputs[0],
        [slope = negative_slope_]<class T>(Index n, const T* x, T* y) {
          const T a = static_cast<T>(slope);
          for (Index i = 0; i < n; ++i) y[i] = x[i] > 0 ? x[i] : a * x[i];
        },
        [slope = negative_slope_]<class T>(T x, T) {
          return x > 0 ? T{1} : static_cast<T>(slope);
        })};
  }

 private:
  void check() const { expect_not_negative("LeakyReLU: negative_slope", negative_slope_); }

  double negative_slope_;
};

class ELUImpl : public ShapelessImpl {
 public:
  explicit ELUImpl(double alpha = 1) : alpha_(alpha) {}
  std::string_view class_name() const override { return "ELU"; }
  void describe(Describer& d) override { d.field("alpha", alpha_); }
  Vars call(Call&, const Vars& inputs) override {
    return {pointwise(
        inputs[0],
        [alpha = alpha_]<class T>(Index n, const T* x, T* y) {
          kernels::activate("elu", 1, n, x, y);
          const T a = static_cast<T>(alpha);
          for (Index i = 0; i < n; ++i) y[i] = x[i] > 0 ? y[i] : a * y[i];
        },
        [alpha = alpha_]<class T>(T x, T y) { return x > 0 ? T{1} : y + static_cast<T>(alpha); })};
  }

 private:
  double alpha_;
};

class ReLUImpl : public ShapelessImpl {
 public:
  explicit ReLUImpl(const ReLUOptions& options = {}) : options_(options) { check(); }
  std::string_view class_name() const override { return "ReLU"; }
  void describe(Describer& d) override {
    // Text has no infinity: without a largest value it says -1.
    constexpr double unlimited = std::numeric_limits<double>::infinity();
    double largest = options_.max_value == unlimited ? -1 : options_.max_value;
    d.field("max_value", largest);
    options_.max_value = largest < 0 ? unlimited : largest;
    d.field("negative_slope", options_.negative_slope);
    d.field("threshold", options_.threshold);
    check();
  }
  Vars call(Call&, const Vars& inputs) override {
    return {pointwise(
        inputs[0],
        [o = Numbers(options_)]<class T>(Index n, const T* x, T* y) {
          const T top = static_cast<T>(o.max_value), edge = static_cast<T>(o.threshold);
          const T slope = static_cast<T>(o.negative_slope);
          for (Index i = 0; i < n; ++i) {
            y[i] = x[i] > edge ? std::min(x[i], top) : slope * (x[i] - edge);
          }
        },
        [o = Numbers(options_)]<class T>(T x, T) {
          if (x >= static_cast<T>(o.max_value)) return T{0};
          return x > static_cast<T>(o.threshold) ? T{1} : static_cast<T>(o.negative_slope);
        })};
  }

 private:
  /// The options without their name, which a record on the tape cannot keep.
  struct Numbers {
    double max_value, negative_slope, threshold;
    explicit Numbers(const ReLUOptions& o)
        : max_value(o.max_value), negative_slope(o.negative_slope), threshold(o.threshold) {}
  };

  void check() const {
    expect_not_negative("ReLU: max_value", options_.max_value);
    expect_not_negative("ReLU: negative_slope", options_.negative_slope);
    expect_not_negative("ReLU: threshold", options_.threshold);
  }

  ReLUOptions options_;
};

class PReLUImpl : public LayerImpl {
 public:
  explicit PReLUImpl(const PReLUOptions& options = {}) : options_(options) {}
  std::string_view class_name() const override { return "PReLU"; }
  void describe(Describer& d) override {
    d.field("alpha_initializer", options_.alpha_initializer);
    d.field("alpha_regularizer", options_.alpha_regularizer);
    d.field("alpha_constraint", options_.alpha_constraint);
    d.field("shared_axes", options_.shared_axes);
  }
  MaskRule mask_rule() const override { return MaskRule::pass; }
  Streaming streaming(std::span<const Shape>) const override {
    // Slopes of its own for each step would need to know which step it is.
    const bool one_for_all_steps = alpha_->shape().rank() > 1 && alpha_->shape()[0] == 1;
    return one_for_all_steps ? Streaming::stepwise : Streaming::never;
  }

  void build(std::span<const Shape> inputs) override {
    expect_inputs(*this, inputs, 1);
    Shape shape = inputs[0].slice(1, inputs[0].rank());
    for (const Index axis : options_.shared_axes) {
      if (axis < 1 || axis > shape.rank()) {
        throw Error(ErrorKind::shape, titled(*this) + ": no such axis to share",
                    {.got = std::to_string(axis) + " of " + inputs[0].to_string(),
                     .want = "1 to " + std::to_string(shape.rank())});
      }
      shape.set(static_cast<int>(axis) - 1, 1);
    }
    if (!shape.known()) {
      throw Error(ErrorKind::shape, titled(*this) + ": an axis has no known size",
                  {.got = inputs[0].to_string(),
                   .want = "known sizes, or shared axes",
                   .hint = ".shared_axes = {1} has one slope for all of time"});
    }
    alpha_ = &weight("alpha", shape, options_.alpha_initializer, options_.alpha_regularizer, true,
                     options_.alpha_constraint);
  }
  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override {
    return {inputs[0]};
  }
  Vars call(Call& call, const Vars& inputs) override {
    return {relu(inputs[0]) - call.use(*alpha_) * relu(-inputs[0])};
  }

 private:
  PReLUOptions options_;
  Parameter* alpha_ = nullptr;
};

class SoftmaxImpl : public LayerImpl {
 public:
  explicit SoftmaxImpl(const Shape& axis = {-1}) : axis_(axis) {}
  std::string_view class_name() const override { return "Softmax"; }
  void describe(Describer& d) override { d.field("axis", axis_); }
  Order order() const override { return axis_ == Shape{-1} ? Order::any : Order::batch_first; }
  MaskRule mask_rule() const override { return MaskRule::pass; }
  Streaming streaming(std::span<const Shape> inputs) const override {
    const auto is_time = [rank = inputs[0].rank()](Index axis) {
      return axis == 1 || axis + rank == 1;
    };
    return std::any_of(axis_.begin(), axis_.end(), is_time) ? Streaming::never
                                                            : Streaming::stepwise;
  }
  std::shared_ptr<const StreamedLayer> streamed(const StreamRequest& request) const override {
    const Index n = vector_size(request);
    if (n < 0 || axis_ != Shape{-1}) return nullptr;
    return step_function([n](const StepRun& s) {
      kernels::activate(Activation("softmax"), 1, n, s.inputs[0], s.outputs[0]);
      return s.kept;
    });
  }

  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override {
    expect_inputs(*this, inputs, 1);
    const int rank = inputs[0].rank();
    for (const Index axis : axis_) {
      if (axis != 0 && axis > -rank && axis < rank) continue;
      throw Error(ErrorKind::shape, titled(*this) + ": no such axis beside the batch",
                  {.got = std::to_string(axis) + " of rank " + std::to_string(rank)});
    }
    return {inputs[0]};
  }

  Vars call(Call& call, const Vars& inputs) override {
    Var x = inputs[0], kept;
    // Of a matrix (batch, time) the mask hides numbers; of a sequence it goes on with the steps.
    if (const Mask mask = call.mask(); mask && x.rank() == 2 && mask.time == x.shape()[1]) {
      kept = kept_steps(call, mask, x);
      x = x - (1 - kept) * 1e9;
    }
    const bool last = axis_.rank() == 1 && (axis_[0] == -1 || axis_[0] == x.rank() - 1);
    const Var y = last ? softmax(x) : along_axes(x);
    return {kept ? y * kept : y};
  }

 private:
  Var along_axes(const Var& x) const {
    Var largest = x;
    for (const Index axis : axis_) largest = max(largest, static_cast<int>(axis), true);
    // The result does not change with what is subtracted, so no gradient goes that way.
    const Var fixed = x.tape().leaf(largest.shape(), x.dtype(), largest.data<std::byte>(), nullptr);
    const Var e = exp(x - fixed);
    Var total = e;
    for (const Index axis : axis_) total = sum(total, static_cast<int>(axis), true);
    return e / total;
  }

  Shape axis_;
};

}  // namespace

LeakyReLU::LeakyReLU(const LeakyReLUOptions& options)
    : Layer(named<LeakyReLUImpl>(options.name, options.negative_slope)) {}
PReLU::PReLU(const PReLUOptions& options) : Layer(named<PReLUImpl>(options.name, options)) {}
ELU::ELU(const ELUOptions& options) : Layer(named<ELUImpl>(options.name, options.alpha)) {}
ReLU::ReLU(const ReLUOptions& options) : Layer(named<ReLUImpl>(options.name, options)) {}
Softmax::Softmax(const SoftmaxOptions& options)
    : Layer(named<SoftmaxImpl>(options.name, options.axis)) {}

std::shared_ptr<LayerImpl> make_rectifying(std::string_view class_name, Describer& options) {
  if (class_name == "LeakyReLU") return described<LeakyReLUImpl>(options);
  if (class_name == "PReLU") return described<PReLUImpl>(options);
  if (class_name == "ELU") return described<ELUImpl>(options);
  if (class_name == "ReLU") return described<ReLUImpl>(options);
  if (class_name == "Softmax") return described<SoftmaxImpl>(options);
  return nullptr;
}

}  // namespace unroll
