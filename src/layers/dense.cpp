// Dense: one fused entry on the tape, product, bias and activation together.
#include "src/autograd/dispatch.h"
#include "src/kernels/gemm.h"
#include "src/kernels/vector.h"
#include "src/layers/packed.h"
#include "src/layers/plain.h"
#include "src/layers/streamed.h"

namespace unroll {

namespace {

class DenseImpl : public LayerImpl {
 public:
  DenseImpl() = default;
  DenseImpl(Index units, const DenseOptions& options)
      : units_(positive("Dense: units", units)), options_(options) {
    activity_regularizer = options.activity_regularizer;
  }

  std::string_view class_name() const override { return "Dense"; }
  void describe(Describer& d) override {
    d.field("units", units_);
    d.field("activation", options_.activation);
    d.field("use_bias", options_.use_bias);
    d.field("kernel_initializer", options_.kernel_initializer);
    d.field("bias_initializer", options_.bias_initializer);
    d.field("kernel_regularizer", options_.kernel_regularizer);
    d.field("bias_regularizer", options_.bias_regularizer);
    d.field("activity_regularizer", activity_regularizer);
    d.field("kernel_constraint", options_.kernel_constraint);
    d.field("bias_constraint", options_.bias_constraint);
  }

  void build(std::span<const Shape> inputs) override {
    expect_inputs(*this, inputs, 1);
    if (inputs[0].rank() < 2 || inputs[0][-1] == unknown) {
      throw Error(ErrorKind::shape, titled(*this) + ": the input has no known last axis",
                  {.got = inputs[0].to_string(), .want = "(batch, ..., features)"});
    }
    features_ = inputs[0][-1];
    kernel_ = &weight("kernel", {features_, units_}, options_.kernel_initializer,
                      options_.kernel_regularizer, true, options_.kernel_constraint);
    if (options_.use_bias) {
      bias_ = &weight("bias", {units_}, options_.bias_initializer, options_.bias_regularizer, true,
                      options_.bias_constraint);
    }
  }

  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override {
    if (inputs[0][-1] != features_) {
      throw Error(ErrorKind::shape, titled(*this) + ": the input has another number of features",
                  {.got = inputs[0].to_string(), .want = std::to_string(features_) + " last"});
    }
    Shape shape = inputs[0];
    shape.set(-1, units_);
    return {shape};
  }

  Order order() const override { return Order::any; }
  Streaming streaming(std::span<const Shape>) const override { return Streaming::stepwise; }
  std::shared_ptr<const StreamedLayer> streamed(const StreamRequest& request) const override;
  MaskRule mask_rule() const override { return MaskRule::pass; }

  void prepare(DType dtype, bool training) override {
    with_float(dtype, [&]<class T>() {
      const Index forward = kernels::packed_size<T>(features_, units_);
      const Index backward = training ? kernels::packed_size<T>(units_, features_) : 0;
      const Index bytes = (forward + backward) * static_cast<Index>(sizeof(T));
      packed_.refresh(kernel_->version(), dtype, training, bytes, [&](void* memory) {
        const T* w = kernel_->value().template values<T>().data();
        T* panels = static_cast<T*>(memory);
        kernels::pack(features_, units_, w, units_, false, panels);
        if (training) kernels::pack(units_, features_, w, units_, true, panels + forward);
      });
    });
  }

  Vars call(Call& call, const Vars& inputs) override {
    const Var& x = inputs[0];
    const Var w = call.use(*kernel_);
    const Var b = bias_ != nullptr ? call.use(*bias_) : Var();
    if (!packed_.fits(kernel_->version(), x.dtype(), call.tape().recording())) {
      prepare(x.dtype(), call.tape().recording());
    }
    Shape shape = x.shape();
    shape.set(-1, units_);
    // An activation that needs its input, or the whole row, comes as an entry of its own.
    const bool fuses = kernels::derivative_from_output(options_.activation) &&
                       options_.activation.kind() < ActivationKind::softmax;
    const Activation activation = fuses ? options_.activation : Activation();
    Var y = b ? call.tape().result(shape, {x, w, b}) : call.tape().result(shape, {x, w});
    y.set_time_first(x.time_first());
    const Index rows = x.elements() / features_;
    with_float(x.dtype(), [&]<class T>() {
      kernels::gemm(rows, units_, features_, x.data<T>(), features_, packed_.data<T>(), y.data<T>(),
                    units_, {.bias = b ? b.data<T>() : nullptr, .activation = activation},
                    call.tape().team());
    });
    call.tape().record(y, [this, x, w, b, y, rows, activation] {
      with_float(x.dtype(), [&]<class T>() { backward<T>(x, w, b, y, rows, activation); });
    });
    return {fuses ? y : activate(y, options_.activation)};
  }

 private:
  template <class T>
  void backward(const Var& x, const Var& w, const Var& b, const Var& y, Index rows,
                Activation activation) const {
    // Asked for first: what is taken from the arena below is given back.
    T* dx = x.needs_gradient() ? x.gradient<T>() : nullptr;
    T* dw = w.needs_gradient() ? w.gradient<T>() : nullptr;
    T* db = b && b.needs_gradient() ? b.gradient<T>() : nullptr;
    base::Arena& arena = y.tape().arena();
    const auto before = arena.mark();
    const T* dz = y.gradient<T>();
    if (activation.kind() != ActivationKind::linear) {
      T* scaled = arena.take<T>(y.elements());
      std::fill(scaled, scaled + y.elements(), T{0});
      kernels::activate_backward<T>(activation, rows, units_, nullptr, y.data<T>(), dz, scaled);
      dz = scaled;
    }
    if (dw != nullptr) {
      kernels::gemm_transposed_a(rows, units_, features_, x.data<T>(), features_, dz, units_, dw,
                                 units_, y.tape().team());
    }
    if (db != nullptr) kernels::add_rows(rows, units_, dz, units_, db);
    if (dx != nullptr) {
      const T* transposed = packed_.data<T>() + kernels::packed_size<T>(features_, units_);
      kernels::gemm(rows, features_, units_, dz, units_, transposed, dx, features_,
                    {.accumulate = true}, y.tape().team());
    }
    arena.release(before);
  }

  Index units_ = 0;
  DenseOptions options_;
  Index features_ = 0;
  Parameter* kernel_ = nullptr;
  Parameter* bias_ = nullptr;
  PackedCopy packed_;
};

/// One row: product, bias, activation.
class DenseStep final : public StreamedLayer {
 public:
  DenseStep(kernels::PackedMatrix kernel, std::vector<float> bias, Activation activation)
      : kernel_(std::move(kernel)), bias_(std::move(bias)), activation_(activation) {
    if (!bias_.empty()) bias_.resize(static_cast<std::size_t>(kernels::gemv_room(kernel_.N())));
  }
  Index scratch() const override { return kernels::gemv_scratch(kernel_); }
  bool run(const StepRun& s) const override {
    float* y = s.outputs[0];
    kernels::gemv({s.inputs[0], &kernel_}, {}, bias_.empty() ? nullptr : bias_.data(), s.scratch,
                  y);
    if (activation_ != Activation()) kernels::activate(activation_, 1, kernel_.N(), y, y);
    return s.kept;
  }

 private:
  kernels::PackedMatrix kernel_;
  std::vector<float> bias_;
  Activation activation_;
};

std::shared_ptr<const StreamedLayer> DenseImpl::streamed(const StreamRequest& request) const {
  if (vector_size(request) < 0) return nullptr;
  return std::make_shared<DenseStep>(
      kernels::PackedMatrix(features_, units_, kept_numbers(kernel_).data(), request.weights),
      kept_numbers(bias_), options_.activation);
}

}  // namespace

Dense::Dense(Index units, const DenseOptions& options)
    : Layer(named<DenseImpl>(options.name, units, options)) {}

std::shared_ptr<LayerImpl> make_dense(std::string_view class_name, Describer& options) {
  return class_name == "Dense" ? described<DenseImpl>(options) : nullptr;
}

}  // namespace unroll
