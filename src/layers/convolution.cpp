// Conv1D and Conv2D: the same over one axis and two.
#include "unroll/convolution.h"

#include "src/layers/convolve.h"
#include "src/layers/plain.h"
#include "src/layers/window.h"

namespace unroll {

namespace {

class ConvolutionImpl : public LayerImpl {
 public:
  explicit ConvolutionImpl(int axes) : axes_(axes) {
    options_.strides = options_.dilation_rate = {1};
  }
  ConvolutionImpl(int axes, Index filters, const Shape& kernel_size, const Conv2DOptions& options)
      : axes_(axes), filters_(filters), kernel_size_(kernel_size), options_(options) {
    activity_regularizer = options.activity_regularizer;
    check();
  }

  std::string_view class_name() const override { return axes_ == 1 ? "Conv1D" : "Conv2D"; }
  void describe(Describer& d) override {
    d.field("filters", filters_);
    d.field("kernel_size", kernel_size_);
    d.field("strides", options_.strides);
    d.field("padding", options_.padding);
    d.field("data_format", options_.data_format);
    d.field("dilation_rate", options_.dilation_rate);
    d.field("groups", options_.groups);
    d.field("activation", options_.activation);
    d.field("use_bias", options_.use_bias);
    d.field("kernel_initializer", options_.kernel_initializer);
    d.field("bias_initializer", options_.bias_initializer);
    d.field("kernel_regularizer", options_.kernel_regularizer);
    d.field("bias_regularizer", options_.bias_regularizer);
    d.field("activity_regularizer", activity_regularizer);
    d.field("kernel_constraint", options_.kernel_constraint);
    d.field("bias_constraint", options_.bias_constraint);
    check();
  }

  // Over time it does not matter how rows and steps lie.
  Order order() const override { return axes_ == 1 ? Order::any : Order::batch_first; }

  void build(std::span<const Shape> inputs) override {
    expect_rank(*this, inputs, axes_ + 2, want());
    channels_ = inputs[0][-1];
    if (channels_ == unknown || channels_ % options_.groups != 0) {
      throw Error(ErrorKind::shape, titled(*this) + ": the channels do not fall into the groups",
                  {.got = inputs[0].to_string() + ", groups " + std::to_string(options_.groups),
                   .want = "a known number of channels that groups divides"});
    }
    Shape shape = kernel_size_;
    shape.push_back(channels_ / options_.groups);
    shape.push_back(filters_);
    kernel_ = &weight("kernel", shape, options_.kernel_initializer, options_.kernel_regularizer,
                      true, options_.kernel_constraint);
    if (options_.use_bias) {
      bias_ = &weight("bias", {filters_}, options_.bias_initializer, options_.bias_regularizer,
                      true, options_.bias_constraint);
    }
  }

  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override {
    expect_rank(*this, inputs, axes_ + 2, want());
    if (inputs[0][-1] != channels_) {
      throw Error(ErrorKind::shape, titled(*this) + ": the input has another number of channels",
                  {.got = inputs[0].to_string(), .want = std::to_string(channels_) + " last"});
    }
    Shape shape = inputs[0];
    for (int axis = 0; axis < axes_; ++axis) shape.set(axis + 1, range(inputs[0], axis).out);
    shape.set(-1, filters_);
    return {shape};
  }

  void prepare(DType dtype, bool training) override {
    convolve_.prepare(sizes(), *kernel_, dtype, training);
  }

  Vars call(Call& call, const Vars& inputs) override {
    const Var& x = inputs[0];
    Shape whole = x.shape();  // (batch, ...), however it lies
    if (x.time_first()) {
      whole.set(0, x.shape()[1]);
      whole.set(1, x.shape()[0]);
    }
    kernels::ConvolutionShape s = sizes();
    s.rows = whole[0];
    s.time_first = x.time_first();
    Shape shape = x.shape();
    for (int i = 0; i < axes_; ++i) {
      const WindowRange windows = range(whole, i);
      auto& axis = axis_of(s, i);
      axis.size = whole[i + 1];
      axis.out = windows.out;
      axis.before = windows.before;
      shape.set(x.time_first() ? 0 : i + 1, windows.out);
    }
    shape.set(-1, filters_);
    return {convolve_(call, x, shape, s, *kernel_, bias_, options_.activation)};
  }

 private:
  std::string_view want() const {
    return axes_ == 1 ? "(batch, time, channels)" : "(batch, height, width, channels)";
  }

  void check() {
    positive(std::string(class_name()) + ": filters", filters_);
    kernel_size_ = one_per_axis(*this, "kernel_size", kernel_size_, axes_);
    options_.strides = one_per_axis(*this, "strides", options_.strides, axes_);
    options_.dilation_rate = one_per_axis(*this, "dilation_rate", options_.dilation_rate, axes_);
    expect_padding(*this, options_.padding, axes_ == 1);
    expect_channels_last(*this, options_.data_format);
    positive(std::string(class_name()) + ": groups", options_.groups);
    if (filters_ % options_.groups != 0) {
      throw Error(ErrorKind::value, titled(*this) + ": groups do not divide the filters",
                  {.got = std::to_string(filters_) + " filters in " +
                          std::to_string(options_.groups) + " groups"});
    }
    for (int i = 0; i < axes_; ++i) {
      if (options_.strides[i] == 1 || options_.dilation_rate[i] == 1) continue;
      throw Error(
          ErrorKind::value, titled(*this) + ": strides and dilation_rate together",
          {.got = options_.strides.to_string() + " and " + options_.dilation_rate.to_string(),
           .want = "one of them 1"});
    }
  }

  WindowRange range(const Shape& input, int axis) const {
    return slide_or_refuse(*this, input, axis + 1, kernel_size_[axis], options_.strides[axis],
                           options_.dilation_rate[axis], options_.padding);
  }

  kernels::ConvolutionShape::Axis& axis_of(kernels::ConvolutionShape& s, int axis) const {
    return axis == axes_ - 1 ? s.x : s.y;
  }

  /// What the kernel says; rows and lengths are still to come.
  kernels::ConvolutionShape sizes() const {
    kernels::ConvolutionShape s;
    s.channels = channels_;
    s.filters = filters_;
    s.groups = options_.groups;
    for (int i = 0; i < axes_; ++i) {
      auto& axis = axis_of(s, i);
      axis.kernel = kernel_size_[i];
      axis.stride = options_.strides[i];
      axis.dilation = options_.dilation_rate[i];
    }
    return s;
  }

  int axes_;
  Index filters_ = 1;
  Shape kernel_size_ = {1};
  Conv2DOptions options_;
  Index channels_ = 0;
  Parameter* kernel_ = nullptr;
  Parameter* bias_ = nullptr;
  Convolve convolve_;
};

Conv2DOptions widened(const Conv1DOptions& o) {
  return {.strides = {o.strides},
          .padding = o.padding,
          .data_format = o.data_format,
          .dilation_rate = {o.dilation_rate},
          .groups = o.groups,
          .activation = o.activation,
          .use_bias = o.use_bias,
          .kernel_initializer = o.kernel_initializer,
          .bias_initializer = o.bias_initializer,
          .kernel_regularizer = o.kernel_regularizer,
          .bias_regularizer = o.bias_regularizer,
          .activity_regularizer = o.activity_regularizer,
          .kernel_constraint = o.kernel_constraint,
          .bias_constraint = o.bias_constraint};
}

std::shared_ptr<LayerImpl> made(int axes, Describer& options) {
  auto impl = std::make_shared<ConvolutionImpl>(axes);
  impl->describe(options);
  return impl;
}

}  // namespace

Conv1D::Conv1D(Index filters, Index kernel_size, const Conv1DOptions& options)
    : Layer(
          named<ConvolutionImpl>(options.name, 1, filters, Shape{kernel_size}, widened(options))) {}
Conv2D::Conv2D(Index filters, const Shape& kernel_size, const Conv2DOptions& options)
    : Layer(named<ConvolutionImpl>(options.name, 2, filters, kernel_size, options)) {}

std::shared_ptr<LayerImpl> make_convolution(std::string_view class_name, Describer& options) {
  if (class_name == "Conv1D") return made(1, options);
  if (class_name == "Conv2D") return made(2, options);
  return nullptr;
}

}  // namespace unroll
