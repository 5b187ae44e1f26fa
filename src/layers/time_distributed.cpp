// TimeDistributed: steps and rows become rows of one large batch for the inner layer, row by row
// where it matters to the inner layer which row is which.
#include "src/layers/plain.h"
#include "src/layers/streamed.h"

namespace unroll {

namespace {

class TimeDistributedImpl : public LayerImpl {
 public:
  TimeDistributedImpl() = default;
  explicit TimeDistributedImpl(std::shared_ptr<Component> layer) : layer_(std::move(layer)) {}

  std::string_view class_name() const override { return "TimeDistributed"; }
  void describe(Describer& d) override { d.field("layer", layer_); }
  Order order() const override {
    return inner().order() == Order::any && !inner().draws() ? Order::any : Order::batch_first;
  }
  bool draws() const override { return inner().draws(); }
  Streaming streaming(std::span<const Shape>) const override { return Streaming::stepwise; }
  std::shared_ptr<const StreamedLayer> streamed(const StreamRequest& request) const override {
    return inner().mask_rule() == MaskRule::pass ? inner().streamed(request) : nullptr;
  }
  MaskRule mask_rule() const override { return MaskRule::pass; }
  bool whole_batch() const override { return inner().whole_batch(); }

  void build(std::span<const Shape> inputs) override {
    expect_inputs(*this, inputs, 1);
    if (inputs[0].rank() < 3) {
      throw Error(ErrorKind::shape, titled(*this) + ": the input has the wrong rank",
                  {.got = inputs[0].to_string(), .want = "(batch, time, ...)"});
    }
    add_child(layer_);
    const Shape step = inputs[0].without(1);
    inner().build_once(std::span(&step, 1));
  }
  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override {
    const Shape step = inputs[0].without(1);
    const auto shapes = inner().output_shapes(std::span(&step, 1));
    return {shapes[0].with(1, inputs[0][1])};
  }
  void prepare(DType dtype, bool training) override { inner().prepare(dtype, training); }

  Vars call(Call& call, const Vars& inputs) override {
    const Var& x = inputs[0];
    Shape merged = x.shape().without(0);
    merged.set(0, x.shape()[0] * x.shape()[1]);
    const Var steps = reshape(x, merged);
    const Var y = order() == Order::any
                      ? inner().call(call, {steps})[0]
                      : call.with_rows_times(x.shape()[1], [&] { return by_row(call, steps); });
    call.penalize(inner(), {y});
    Shape shape = y.shape().with(0, x.shape()[0]);
    shape.set(1, x.shape()[1]);
    return {reshape(y, shape).set_time_first(x.time_first())};
  }

 private:
  /// Each row of x is a step; its own steps, if it has any, lie as the inner layer wants them.
  Var by_row(Call& call, const Var& x) {
    const bool turned = inner().order() == Order::time_first && x.shape().rank() >= 3;
    const Var y = inner().call(call, {turned ? swap_first_axes(x) : x})[0];
    return y.time_first() ? swap_first_axes(y) : y;
  }

  LayerImpl& inner() const { return static_cast<LayerImpl&>(*layer_); }

  std::shared_ptr<Component> layer_;
};

}  // namespace

TimeDistributed::TimeDistributed(const Layer& layer, const NameOption& options)
    : Layer(named<TimeDistributedImpl>(options.name, layer.shared_impl())) {}

std::shared_ptr<LayerImpl> make_wrapper(std::string_view class_name, Describer& options) {
  return class_name == "TimeDistributed" ? described<TimeDistributedImpl>(options) : nullptr;
}

std::shared_ptr<LayerImpl> make_plain_layer(std::string_view class_name, Describer& options) {
  for (const auto make :
       {make_dense, make_embedding, make_reversible_embedding, make_regularizing, make_shaping,
        make_merging, make_normalization, make_row_normalization, make_rectifying, make_noise,
        make_convolution, make_transposed_convolution, make_pooling, make_resizing, make_attention,
        make_multi_head_attention, make_wrapper}) {
    if (auto layer = make(class_name, options)) return layer;
  }
  return nullptr;
}

}  // namespace unroll
