// MultiHeadAttention: four projections around attention in several heads.
#include <array>
#include <cmath>

#include "src/layers/attend.h"
#include "src/layers/convolve.h"
#include "src/layers/plain.h"
#include "unroll/attention.h"

namespace unroll {

namespace {

/// A product of the last axis with a kernel that may have more axes than two.
struct Projection {
  Index from = 0, to = 0;
  Parameter *kernel = nullptr, *bias = nullptr;
  Convolve product;  // a window of one place

  kernels::ConvolutionShape sizes(Index rows) const {
    kernels::ConvolutionShape s;
    s.rows = rows;
    s.channels = from;
    s.filters = to;
    return s;
  }
  void prepare(DType dtype, bool training) { product.prepare(sizes(0), *kernel, dtype, training); }
  Var operator()(Call& call, const Var& x) {
    Shape shape = x.shape();
    shape.set(-1, to);
    return product(call, x, shape, sizes(x.elements() / from), *kernel, bias);
  }
};

class MultiHeadAttentionImpl : public LayerImpl {
 public:
  MultiHeadAttentionImpl() = default;
  MultiHeadAttentionImpl(Index num_heads, Index key_dim, const MultiHeadAttentionOptions& options)
      : num_heads_(num_heads), key_dim_(key_dim), options_(options) {
    activity_regularizer = options.activity_regularizer;
    check();
  }

  std::string_view class_name() const override { return "MultiHeadAttention"; }
  void describe(Describer& d) override {
    d.field("num_heads", num_heads_);
    d.field("key_dim", key_dim_);
    d.field("value_dim", options_.value_dim);
    d.field("dropout", options_.dropout);
    d.field("use_bias", options_.use_bias);
    d.field("output_shape", options_.output_shape);
    d.field("kernel_initializer", options_.kernel_initializer);
    d.field("bias_initializer", options_.bias_initializer);
    d.field("kernel_regularizer", options_.kernel_regularizer);
    d.field("bias_regularizer", options_.bias_regularizer);
    d.field("activity_regularizer", activity_regularizer);
    d.field("kernel_constraint", options_.kernel_constraint);
    d.field("bias_constraint", options_.bias_constraint);
    d.field("seed", options_.seed);
    d.field("use_causal_mask", options_.use_causal_mask);
    d.field("return_attention_scores", options_.return_attention_scores);
    check();
  }
  Order order() const override { return Order::any; }
  MaskRule mask_rule() const override { return MaskRule::own; }

  void build(std::span<const Shape> inputs) override {
    check_inputs(inputs);
    const Index out = options_.output_shape.empty() ? inputs[0][2] : options_.output_shape[0];
    const Index H = num_heads_, value_dim = options_.value_dim;
    declare(query_, "query", {inputs[0][2], H, key_dim_}, 1);
    declare(key_, "key", {inputs.back()[2], H, key_dim_}, 1);
    declare(value_, "value", {inputs[1][2], H, value_dim}, 1);
    declare(output_, "attention_output", {H, value_dim, out}, 2);
  }

  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override {
    check_inputs(inputs);
    const Shape& q = inputs[0];
    std::vector<Shape> shapes{{q[0], q[1], output_.to}};
    if (options_.return_attention_scores) {
      shapes.push_back({q[0], num_heads_, q[1], inputs[1][1]});
    }
    return shapes;
  }

  void prepare(DType dtype, bool training) override {
    for (Projection* p : {&query_, &key_, &value_, &output_}) p->prepare(dtype, training);
  }

  Vars call(Call& call, const Vars& inputs) override {
    const Var& key_input = inputs.size() > 2 ? inputs[2] : inputs[1];
    const Index Tq = steps_of(inputs[0]), Tv = steps_of(inputs[1]);
    const Var q = query_(call, inputs[0]) * (1 / std::sqrt(static_cast<double>(key_dim_)));
    const Var k = key_(call, key_input), v = value_(call, inputs[1]);
    Var scores = dot_scores(q, k, num_heads_);
    const Mask queries = call.mask(0);
    const Var seen = visible(call, queries, both(call, call.mask(1), call.mask(2)),
                             options_.use_causal_mask, Tq, Tv);
    if (seen) scores = scores - (1 - seen) * 1e9;
    Var weights = softmax(scores);
    // A query that sees nothing gets nothing, not the mean of what is hidden.
    if (seen) weights = weights * seen;
    weights = dropped_weights(call, *this, weights, options_.dropout, options_.seed);
    const Var y = output_(call, weighted_values(weights, v, num_heads_));
    if (queries) call.set_mask(queries);
    if (options_.return_attention_scores) return {y, weights};
    return {y};
  }

 private:
  void check() {
    positive("MultiHeadAttention: num_heads", num_heads_);
    positive("MultiHeadAttention: key_dim", key_dim_);
    if (options_.value_dim == unknown) options_.value_dim = key_dim_;
    positive("MultiHeadAttention: value_dim", options_.value_dim);
    probability("MultiHeadAttention: dropout", options_.dropout);
    const Shape& out = options_.output_shape;
    if (out.empty() || (out.rank() == 1 && out[0] >= 1)) return;
    throw Error(ErrorKind::unsupported, "MultiHeadAttention: output_shape is not one size",
                {.got = out.to_string(), .want = "{size}, or {} for the queries' features"});
  }

  void check_inputs(std::span<const Shape> inputs) const {
    if (inputs.size() != 2 && inputs.size() != 3) {
      throw Error(
          ErrorKind::shape, titled(*this) + ": another number of inputs",
          {.got = std::to_string(inputs.size()), .want = "{query, value} or {query, value, key}"});
    }
    const Index values = inputs[1].rank() == 3 ? inputs[1][1] : unknown;
    for (const Shape& shape : inputs) {
      const bool sequence = shape.rank() == 3 && shape[2] != unknown;
      const bool long_as_values = &shape != &inputs.back() || !sequence || shape[1] == values ||
                                  shape[1] == unknown || values == unknown;
      if (sequence && long_as_values) continue;
      throw Error(
          ErrorKind::shape, titled(*this) + ": an input does not fit",
          {.got = shape.to_string(), .want = "(batch, time, features), keys as long as values"});
    }
  }

  /// `inner`: how many axes the product runs over.
  void declare(Projection& p, const std::string& part, const Shape& shape, int inner) {
    const MultiHeadAttentionOptions& o = options_;
    p.from = shape.product(0, inner);
    p.to = shape.product(inner, shape.rank());
    p.kernel = &weight(part + "/kernel", shape, o.kernel_initializer, o.kernel_regularizer, true,
                       o.kernel_constraint);
    if (!o.use_bias) return;
    p.bias = &weight(part + "/bias", shape.slice(inner, shape.rank()), o.bias_initializer,
                     o.bias_regularizer, true, o.bias_constraint);
  }

  /// Steps that two masks keep; an empty one keeps all.
  static Mask both(Call& call, const Mask& a, const Mask& b) {
    if (!a || !b) return a ? a : b;
    auto* data = call.tape().arena().take<std::uint8_t>(a.time * a.rows);
    for (Index i = 0; i < a.time * a.rows; ++i) data[i] = a.data[i] & b.data[i];
    return {data, a.time, a.rows};
  }

  Index num_heads_ = 1, key_dim_ = 1;
  MultiHeadAttentionOptions options_;
  Projection query_, key_, value_, output_;
};

}  // namespace

MultiHeadAttention::MultiHeadAttention(Index num_heads, Index key_dim,
                                       const MultiHeadAttentionOptions& options)
    : Layer(named<MultiHeadAttentionImpl>(options.name, num_heads, key_dim, options)) {}

std::shared_ptr<LayerImpl> make_multi_head_attention(std::string_view class_name,
                                                     Describer& options) {
  return class_name == "MultiHeadAttention" ? described<MultiHeadAttentionImpl>(options) : nullptr;
}

}  // namespace unroll
