// MaxPooling and AveragePooling over one axis and two, and both over all of time.
#include "src/kernels/pooling.h"

#include "src/autograd/dispatch.h"
#include "src/layers/masks.h"
#include "src/layers/plain.h"
#include "src/layers/window.h"
#include "unroll/convolution.h"

namespace unroll {

namespace {

class PoolingImpl : public LayerImpl {
 public:
  PoolingImpl(bool largest, int axes) : largest_(largest), axes_(axes) { options_.pool_size = {2}; }
  PoolingImpl(bool largest, int axes, const Pooling2DOptions& options)
      : largest_(largest), axes_(axes), options_(options) {
    check();
  }

  std::string_view class_name() const override {
    if (axes_ == 1) return largest_ ? "MaxPooling1D" : "AveragePooling1D";
    return largest_ ? "MaxPooling2D" : "AveragePooling2D";
  }
  void describe(Describer& d) override {
    d.field("pool_size", options_.pool_size);
    d.field("strides", options_.strides);
    d.field("padding", options_.padding);
    d.field("data_format", options_.data_format);
    check();
  }
  Order order() const override { return axes_ == 1 ? Order::any : Order::batch_first; }

  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override {
    expect_rank(*this, inputs, axes_ + 2,
                axes_ == 1 ? "(batch, time, channels)" : "(batch, height, width, channels)");
    Shape shape = inputs[0];
    for (int axis = 0; axis < axes_; ++axis) shape.set(axis + 1, range(inputs[0], axis).out);
    return {shape};
  }

  Vars call(Call& call, const Vars& inputs) override {
    const Var& x = inputs[0];
    Shape whole = x.shape();
    if (x.time_first()) {
      whole.set(0, x.shape()[1]);
      whole.set(1, x.shape()[0]);
    }
    kernels::ConvolutionShape s;
    s.rows = whole[0];
    s.channels = whole[-1];
    s.time_first = x.time_first();
    Shape shape = x.shape();
    for (int i = 0; i < axes_; ++i) {
      const WindowRange windows = range(whole, i);
      (i == axes_ - 1 ? s.x : s.y) = {.size = whole[i + 1],
                                      .out = windows.out,
                                      .kernel = options_.pool_size[i],
                                      .stride = options_.strides[i],
                                      .before = windows.before};
      shape.set(x.time_first() ? 0 : i + 1, windows.out);
    }
    return {pooled(call.tape(), x, shape, s)};
  }

 private:
  Var pooled(Tape& tape, const Var& x, const Shape& shape,
             const kernels::ConvolutionShape& s) const {
    Var y = tape.result(shape, {x});
    y.set_time_first(x.time_first());
    const bool largest = largest_;
    with_float(x.dtype(), [&]<class T>() {
      if (largest) {
        kernels::max_pooling(s, x.data<T>(), y.data<T>());
      } else {
        kernels::average_pooling(s, x.data<T>(), y.data<T>());
      }
    });
    tape.record(y, [s, x, y, largest] {
      with_float(x.dtype(), [&]<class T>() {
        if (largest) {
          kernels::max_pooling_gradient(s, x.data<T>(), y.data<T>(), y.gradient<T>(),
                                        x.gradient<T>());
        } else {
          kernels::average_pooling_gradient(s, y.gradient<T>(), x.gradient<T>());
        }
      });
    });
    return y;
  }

  void check() {
    options_.pool_size = one_per_axis(*this, "pool_size", options_.pool_size, axes_);
    if (options_.strides.empty()) options_.strides = options_.pool_size;
    options_.strides = one_per_axis(*this, "strides", options_.strides, axes_);
    expect_padding(*this, options_.padding, false);
    expect_channels_last(*this, options_.data_format);
  }

  WindowRange range(const Shape& input, int axis) const {
    return slide_or_refuse(*this, input, axis + 1, options_.pool_size[axis], options_.strides[axis],
                           1, options_.padding);
  }

  bool largest_;
  int axes_;
  Pooling2DOptions options_;
};

class GlobalPoolingImpl : public LayerImpl {
 public:
  explicit GlobalPoolingImpl(bool largest) : largest_(largest) {}
  GlobalPoolingImpl(bool largest, const GlobalPoolingOptions& options)
      : largest_(largest), options_(options) {
    expect_channels_last(*this, options_.data_format);
  }

  std::string_view class_name() const override {
    return largest_ ? "GlobalMaxPooling1D" : "GlobalAveragePooling1D";
  }
  void describe(Describer& d) override {
    d.field("data_format", options_.data_format);
    d.field("keepdims", options_.keepdims);
    expect_channels_last(*this, options_.data_format);
  }
  Order order() const override { return Order::any; }

  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override {
    expect_rank(*this, inputs, 3, "(batch, time, channels)");
    return {options_.keepdims ? Shape{inputs[0][0], 1, inputs[0][2]}
                              : Shape{inputs[0][0], inputs[0][2]}};
  }

  Vars call(Call& call, const Vars& inputs) override {
    const Var& x = inputs[0];
    const int time = x.time_first() ? 0 : 1;
    Var y;
    if (largest_) {
      y = max(x, time);
    } else if (const Mask mask = call.mask()) {
      const Var kept = kept_steps(call, mask, x);
      y = sum(x * kept, time) / sum(kept, time);
    } else {
      y = mean(x, time);
    }
    if (options_.keepdims) y = reshape(y, {y.shape()[0], 1, y.shape()[1]});
    return {y.set_time_first(false)};
  }

 private:
  bool largest_;
  GlobalPoolingOptions options_;
};

Pooling2DOptions widened(const Pooling1DOptions& o) {
  return {.pool_size = {o.pool_size},
          .strides = o.strides == unknown ? Shape() : Shape{o.strides},
          .padding = o.padding,
          .data_format = o.data_format};
}

}  // namespace

MaxPooling1D::MaxPooling1D(const Pooling1DOptions& options)
    : Layer(named<PoolingImpl>(options.name, true, 1, widened(options))) {}
AveragePooling1D::AveragePooling1D(const Pooling1DOptions& options)
    : Layer(named<PoolingImpl>(options.name, false, 1, widened(options))) {}
MaxPooling2D::MaxPooling2D(const Pooling2DOptions& options)
    : Layer(named<PoolingImpl>(options.name, true, 2, options)) {}
AveragePooling2D::AveragePooling2D(const Pooling2DOptions& options)
    : Layer(named<PoolingImpl>(options.name, false, 2, options)) {}
GlobalMaxPooling1D::GlobalMaxPooling1D(const GlobalPoolingOptions& options)
    : Layer(named<GlobalPoolingImpl>(options.name, true, options)) {}
GlobalAveragePooling1D::GlobalAveragePooling1D(const GlobalPoolingOptions& options)
    : Layer(named<GlobalPoolingImpl>(options.name, false, options)) {}

std::shared_ptr<LayerImpl> make_pooling(std::string_view class_name, Describer& options) {
  std::shared_ptr<LayerImpl> impl;
  if (class_name == "MaxPooling1D") impl = std::make_shared<PoolingImpl>(true, 1);
  if (class_name == "MaxPooling2D") impl = std::make_shared<PoolingImpl>(true, 2);
  if (class_name == "AveragePooling1D") impl = std::make_shared<PoolingImpl>(false, 1);
  if (class_name == "AveragePooling2D") impl = std::make_shared<PoolingImpl>(false, 2);
  if (class_name == "GlobalMaxPooling1D") impl = std::make_shared<GlobalPoolingImpl>(true);
  if (class_name == "GlobalAveragePooling1D") impl = std::make_shared<GlobalPoolingImpl>(false);
  if (impl != nullptr) impl->describe(options);
  return impl;
}

}  // namespace unroll
