// Conv2DTranspose: the gradient of a convolution with respect to its input, as a layer. Every place
// of a small picture is multiplied by the kernel and added where a convolution's window would lie.
#include <algorithm>

#include "src/autograd/dispatch.h"
#include "src/kernels/convolution.h"
#include "src/kernels/gemm.h"
#include "src/kernels/vector.h"
#include "src/layers/packed.h"
#include "src/layers/plain.h"
#include "src/layers/window.h"
#include "unroll/convolution.h"

namespace unroll {

namespace {

constexpr std::string_view picture = "(batch, height, width, channels)";

class TransposedConvolutionImpl : public LayerImpl {
 public:
  TransposedConvolutionImpl() = default;
  TransposedConvolutionImpl(Index filters, const Shape& kernel_size,
                            const Conv2DTransposeOptions& options)
      : filters_(filters), kernel_size_(kernel_size), options_(options) {
    activity_regularizer = options.activity_regularizer;
    check();
  }

  std::string_view class_name() const override { return "Conv2DTranspose"; }
  void describe(Describer& d) override {
    d.field("filters", filters_);
    d.field("kernel_size", kernel_size_);
    d.field("strides", options_.strides);
    d.field("padding", options_.padding);
    d.field("data_format", options_.data_format);
    d.field("dilation_rate", options_.dilation_rate);
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

  void build(std::span<const Shape> inputs) override {
    expect_rank(*this, inputs, 4, picture);
    channels_ = inputs[0][-1];
    if (channels_ == unknown) {
      throw Error(ErrorKind::shape, titled(*this) + ": the number of channels is not known",
                  {.got = inputs[0].to_string(), .want = std::string(picture)});
    }
    kernel_ = &weight("kernel", {kernel_size_[0], kernel_size_[1], filters_, channels_},
                      options_.kernel_initializer, options_.kernel_regularizer, true,
                      options_.kernel_constraint);
    if (options_.use_bias) {
      bias_ = &weight("bias", {filters_}, options_.bias_initializer, options_.bias_regularizer,
                      true, options_.bias_constraint);
    }
  }

  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override {
    expect_rank(*this, inputs, 4, picture);
    if (inputs[0][-1] != channels_) {
      throw Error(ErrorKind::shape, titled(*this) + ": the input has another number of channels",
                  {.got = inputs[0].to_string(), .want = std::to_string(channels_) + " last"});
    }
    Shape shape = inputs[0];
    for (int axis = 0; axis < 2; ++axis) shape.set(axis + 1, grown(inputs[0][axis + 1], axis));
    shape.set(-1, filters_);
    return {shape};
  }

  void prepare(DType dtype, bool) override {
    with_float(dtype, [&]<class T>() {
      const kernels::ConvolutionShape s = sizes();
      const Index bytes =
          kernels::convolution_packed_size<T>(s, true) * static_cast<Index>(sizeof(T));
      packed_.refresh(kernel_->version(), dtype, true, bytes, [&](void* memory) {
        kernels::convolution_pack(s, kernel_->value().template values<T>().data(), true,
                                  static_cast<T*>(memory));
      });
    });
  }

  Vars call(Call& call, const Vars& inputs) override {
    const Var& x = inputs[0];
    const Var w = call.use(*kernel_);
    const Var b = bias_ != nullptr ? call.use(*bias_) : Var();
    if (!packed_.fits(kernel_->version(), x.dtype(), true)) prepare(x.dtype(), true);
    const kernels::ConvolutionShape s = sizes(x.shape());
    const Shape shape{s.rows, s.y.size, s.x.size, filters_};
    Tape& tape = call.tape();
    Var y = b ? tape.result(shape, {x, w, b}) : tape.result(shape, {x, w});
    with_float(x.dtype(), [&]<class T>() {
      const auto before = tape.arena().mark();
      for (Index place = 0; place < s.places(); ++place) {
        T* to = y.data<T>() + place * filters_;
        if (b) {
          std::copy_n(b.data<T>(), filters_, to);
        } else {
          std::fill_n(to, filters_, T{0});
        }
      }
      T* scratch = tape.arena().take<T>(kernels::convolution_scratch_size<T>(s));
      kernels::convolution_input_gradient(s, x.data<T>(), packed_.data<T>(), y.data<T>(), scratch);
      tape.arena().release(before);
    });
    tape.record(y, [this, s, x, w, b, y] {
      with_float(x.dtype(), [&]<class T>() { backward<T>(s, x, w, b, y); });
    });
    return {activate(y, options_.activation)};
  }

 private:
  void check() {
    positive("Conv2DTranspose: filters", filters_);
    kernel_size_ = one_per_axis(*this, "kernel_size", kernel_size_, 2);
    options_.strides = one_per_axis(*this, "strides", options_.strides, 2);
    options_.dilation_rate = one_per_axis(*this, "dilation_rate", options_.dilation_rate, 2);
    expect_padding(*this, options_.padding, false);
    expect_channels_last(*this, options_.data_format);
    for (int axis = 0; axis < 2; ++axis) {
      if (options_.strides[axis] == 1 || options_.dilation_rate[axis] == 1) continue;
      throw Error(
          ErrorKind::value, titled(*this) + ": strides and dilation_rate together",
          {.got = options_.strides.to_string() + " and " + options_.dilation_rate.to_string(),
           .want = "one of them 1"});
    }
  }

  /// What becomes of a size. Keras: every input place has a stride of its own, and with padding
  /// "valid" the last window is whole.
  Index grown(Index size, int axis) const {
    if (size == unknown) return unknown;
    const Index stride = options_.strides[axis];
    if (options_.padding == "same") return size * stride;
    const Index reach = (kernel_size_[axis] - 1) * options_.dilation_rate[axis] + 1;
    return size * stride + std::max<Index>(reach - stride, 0);
  }

  /// The convolution that leads from the result back to the input.
  kernels::ConvolutionShape sizes(const Shape& input = {0, 1, 1, 1}) const {
    kernels::ConvolutionShape s;
    s.rows = input[0];
    s.channels = filters_;
    s.filters = channels_;
    for (int i = 0; i < 2; ++i) {
      kernels::ConvolutionShape::Axis& axis = i == 0 ? s.y : s.x;
      axis.kernel = kernel_size_[i];
      axis.stride = options_.strides[i];
      axis.dilation = options_.dilation_rate[i];
      axis.out = input[i + 1];
      axis.size = grown(input[i + 1], i);
      axis.before =
          slide(axis.size, axis.kernel, axis.stride, axis.dilation, options_.padding).before;
    }
    return s;
  }

  template <class T>
  void backward(const kernels::ConvolutionShape& s, const Var& x, const Var& w, const Var& b,
                const Var& y) const {
    // Asked for first: what is taken from the arena below is given back.
    T* dx = x.needs_gradient() ? x.gradient<T>() : nullptr;
    T* dw = w.needs_gradient() ? w.gradient<T>() : nullptr;
    T* db = b && b.needs_gradient() ? b.gradient<T>() : nullptr;
    const T* dy = y.gradient<T>();
    base::Arena& arena = y.tape().arena();
    const auto before = arena.mark();
    T* scratch = arena.take<T>(kernels::convolution_scratch_size<T>(s));
    if (dw != nullptr) kernels::convolution_kernel_gradient(s, dy, x.data<T>(), dw, scratch);
    if (db != nullptr) kernels::add_rows(s.places(), filters_, dy, filters_, db);
    if (dx != nullptr) {
      T* back = arena.take<T>(x.elements());
      kernels::convolution<T>(s, dy, packed_.data<T>(), nullptr, Activation(), back, scratch);
      kernels::add(x.elements(), dx, back, dx);
    }
    arena.release(before);
  }

  Index filters_ = 1;
  Shape kernel_size_ = {1};
  Conv2DTransposeOptions options_;
  Index channels_ = 1;
  Parameter* kernel_ = nullptr;
  Parameter* bias_ = nullptr;
  PackedCopy packed_;  // with what gradients need, always: the way forward is one
};

}  // namespace

Conv2DTranspose::Conv2DTranspose(Index filters, const Shape& kernel_size,
                                 const Conv2DTransposeOptions& options)
    : Layer(named<TransposedConvolutionImpl>(options.name, filters, kernel_size, options)) {}

std::shared_ptr<LayerImpl> make_transposed_convolution(std::string_view class_name,
                                                       Describer& options) {
  if (class_name != "Conv2DTranspose") return nullptr;
  return described<TransposedConvolutionImpl>(options);
}

}  // namespace unroll
