// Attention and AdditiveAttention.
#include "unroll/attention.h"

#include "src/layers/attend.h"
#include "src/layers/masks.h"
#include "src/layers/plain.h"

namespace unroll {

namespace {

/// What both have in common: weights from scores, and values from weights.
class AttentionBase : public LayerImpl {
 public:
  Order order() const override { return Order::any; }
  MaskRule mask_rule() const override { return MaskRule::own; }

  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override {
    check(inputs);
    const Shape &q = inputs[0], &v = inputs[1];
    std::vector<Shape> shapes{{q[0], q[1], v[2]}};
    if (scores_too_) shapes.push_back({q[0], q[1], v[1]});
    return shapes;
  }

  Vars call(Call& call, const Vars& inputs) override {
    const Var &q = inputs[0], &v = inputs[1], &k = inputs.size() > 2 ? inputs[2] : inputs[1];
    const Index Tq = steps_of(q), Tv = steps_of(v);
    Var scores = score(call, q, k);
    // Keras's way to hide a value: a score so low that its weight is 0 unless all are hidden.
    if (const Var seen = visible(call, {}, call.mask(1), causal_, Tq, Tv)) {
      scores = scores - (1 - seen) * 1e9;
    }
    const Var weights = dropped_weights(call, *this, softmax(scores), dropout_, seed_);
    Var y = weighted_values(weights, v, 1);
    if (const Mask queries = call.mask(0)) {
      y = y * kept_steps(call, queries, y);
      call.set_mask(queries);
    }
    if (!scores_too_) return {y};
    return {y, reshape(weights, {weights.shape()[0], Tq, Tv})};
  }

 protected:
  /// (B, 1, Tq, Tv).
  virtual Var score(Call& call, const Var& q, const Var& k) = 0;

  void check(std::span<const Shape> inputs) const {
    if (inputs.size() != 2 && inputs.size() != 3) {
      throw Error(
          ErrorKind::shape, titled(*this) + ": another number of inputs",
          {.got = std::to_string(inputs.size()), .want = "{query, value} or {query, value, key}"});
    }
    const Shape &q = inputs[0], &v = inputs[1], &k = inputs.back();
    const bool fits = q.rank() == 3 && v.rank() == 3 && k.rank() == 3 && q[2] == k[2] &&
                      q[2] != unknown && v[2] != unknown &&
                      (v[1] == k[1] || v[1] == unknown || k[1] == unknown);
    if (fits) return;
    std::string got;
    for (const Shape& shape : inputs) got += (got.empty() ? "" : ", ") + shape.to_string();
    throw Error(ErrorKind::shape, titled(*this) + ": the inputs do not fit",
                {.got = got,
                 .want = "query (batch, Tq, features), value (batch, Tv, size), key (batch, Tv, "
                         "features)"});
  }

  double dropout_ = 0;
  Index seed_ = -1;
  bool causal_ = false, scores_too_ = false;

  /// The options that both end with, in Keras's order.
  template <class Options>
  void take_common(const Options& options) {
    dropout_ = options.dropout;
    seed_ = options.seed;
    causal_ = options.use_causal_mask;
    scores_too_ = options.return_attention_scores;
    check_dropout();
  }
  void describe_common(Describer& d) {
    d.field("dropout", dropout_);
    d.field("seed", seed_);
    d.field("use_causal_mask", causal_);
    d.field("return_attention_scores", scores_too_);
    check_dropout();
  }

 private:
  void check_dropout() const { probability(std::string(class_name()) + ": dropout", dropout_); }
};

class AttentionImpl : public AttentionBase {
 public:
  AttentionImpl() = default;
  explicit AttentionImpl(const AttentionOptions& options)
      : use_scale_(options.use_scale), score_mode_(options.score_mode) {
    take_common(options);
    check_mode();
  }
  std::string_view class_name() const override { return "Attention"; }
  void describe(Describer& d) override {
    d.field("use_scale", use_scale_);
    d.field("score_mode", score_mode_);
    describe_common(d);
    check_mode();
  }

  void build(std::span<const Shape> inputs) override {
    check(inputs);
    if (use_scale_) scale_ = &weight("scale", {}, "ones");
    if (score_mode_ == "concat") concat_weight_ = &weight("concat_score_weight", {}, "ones");
  }

 private:
  Var score(Call& call, const Var& q, const Var& k) override {
    const Var scale = scale_ != nullptr ? call.use(*scale_) : Var();
    if (score_mode_ == "dot") {
      const Var scores = dot_scores(q, k, 1);
      return scale ? scores * scale : scores;
    }
    const Var scores =
        scale ? additive_scores(q * scale, k * scale, {}) : additive_scores(q, k, {});
    return scores * call.use(*concat_weight_);
  }

  void check_mode() const {
    if (score_mode_ == "dot" || score_mode_ == "concat") return;
    throw Error(ErrorKind::value, "Attention: no such score_mode",
                {.got = "\"" + score_mode_ + "\"", .want = "dot or concat"});
  }

  bool use_scale_ = false;
  std::string score_mode_ = "dot";
  Parameter *scale_ = nullptr, *concat_weight_ = nullptr;
};

class AdditiveAttentionImpl : public AttentionBase {
 public:
  AdditiveAttentionImpl() = default;
  explicit AdditiveAttentionImpl(const AdditiveAttentionOptions& options)
      : use_scale_(options.use_scale) {
    take_common(options);
  }
  std::string_view class_name() const override { return "AdditiveAttention"; }
  void describe(Describer& d) override {
    d.field("use_scale", use_scale_);
    describe_common(d);
  }
  void build(std::span<const Shape> inputs) override {
    check(inputs);
    if (use_scale_) scale_ = &weight("scale", {inputs[0][2]}, "glorot_uniform");
  }

 private:
  Var score(Call& call, const Var& q, const Var& k) override {
    return additive_scores(q, k, scale_ != nullptr ? call.use(*scale_) : Var());
  }

  bool use_scale_ = true;
  Parameter* scale_ = nullptr;
};

}  // namespace

Attention::Attention(const AttentionOptions& options)
    : Layer(named<AttentionImpl>(options.name, options)) {}
AdditiveAttention::AdditiveAttention(const AdditiveAttentionOptions& options)
    : Layer(named<AdditiveAttentionImpl>(options.name, options)) {}

std::shared_ptr<LayerImpl> make_attention(std::string_view class_name, Describer& options) {
  if (class_name == "Attention") return described<AttentionImpl>(options);
  if (class_name == "AdditiveAttention") return described<AdditiveAttentionImpl>(options);
  return nullptr;
}

}  // namespace unroll
