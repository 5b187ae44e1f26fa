// ReversibleEmbedding: ids to vectors, and back with the same table.
#include <algorithm>

#include "src/autograd/dispatch.h"
#include "src/kernels/rows.h"
#include "src/layers/plain.h"
#include "src/layers/step_product.h"

namespace unroll {

namespace {

class ReversibleEmbeddingImpl : public LayerImpl {
 public:
  ReversibleEmbeddingImpl() = default;
  ReversibleEmbeddingImpl(Index input_dim, Index output_dim,
                          const ReversibleEmbeddingOptions& options)
      : input_dim_(positive("ReversibleEmbedding: input_dim", input_dim)),
        output_dim_(positive("ReversibleEmbedding: output_dim", output_dim)),
        options_(options) {}

  std::string_view class_name() const override { return "ReversibleEmbedding"; }
  void describe(Describer& d) override {
    d.field("input_dim", input_dim_);
    d.field("output_dim", output_dim_);
    d.field("tie_weights", options_.tie_weights);
    d.field("embeddings_initializer", options_.embeddings_initializer);
    d.field("embeddings_regularizer", options_.embeddings_regularizer);
    d.field("embeddings_constraint", options_.embeddings_constraint);
    d.field("mask_zero", options_.mask_zero);
    d.field("reverse_bias", options_.reverse_bias);
  }

  void build(std::span<const Shape> inputs) override {
    expect_inputs(*this, inputs, 1);
    table_ = &weight("embeddings", {input_dim_, output_dim_}, options_.embeddings_initializer,
                     options_.embeddings_regularizer, true, options_.embeddings_constraint);
    Parameter* reverse = nullptr;
    if (!options_.tie_weights) {
      reverse = &weight("reverse_embeddings", {output_dim_, input_dim_}, "glorot_uniform");
    }
    Parameter* bias = nullptr;
    if (options_.reverse_bias) bias = &weight("reverse_bias", {input_dim_}, "zeros");
    reverse_ =
        reverse != nullptr ? PackedKernel(reverse, bias) : PackedKernel::of_table(table_, bias);
  }

  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override {
    Shape shape = inputs[0];
    if (shape.rank() <= 2) {
      shape.push_back(output_dim_);
      return {shape};
    }
    if (shape.rank() != 3 || shape[2] != output_dim_) {
      throw Error(ErrorKind::shape, titled(*this) + ": neither ids nor vectors of this table",
                  {.got = shape.to_string(),
                   .want = "(batch, time), or (batch, time, " + std::to_string(output_dim_) + ")"});
    }
    shape.set(2, input_dim_);
    return {shape};
  }

  Order order() const override { return Order::time_first; }
  MaskRule mask_rule() const override { return MaskRule::own; }
  bool takes_ids(std::size_t) const override { return true; }
  bool makes_masks() const override { return options_.mask_zero; }
  std::optional<double> padding() const override {
    return options_.mask_zero ? std::optional(0.0) : std::nullopt;
  }
  void prepare(DType dtype, bool training) override { reverse_.prepare(dtype, training); }

  Vars call(Call& call, const Vars& inputs) override {
    const Var& x = inputs[0];
    return {x.dtype() == DType::int32 ? embedded(call, x) : reversed(call, x)};
  }

 private:
  Var embedded(Call& call, const Var& ids) {
    const auto* id = ids.data<std::int32_t>();
    const Index count = ids.elements(), D = output_dim_;
    for (Index i = 0; i < count; ++i) {
      if (id[i] < 0 || id[i] >= input_dim_) refuse(id[i]);
    }
    Shape shape = ids.shape();
    shape.push_back(D);
    const Var table = call.use(*table_);
    Var rows = call.tape().result(shape, {table});
    rows.set_time_first(ids.time_first());
    const Mask mask = mask_of(call, ids);
    with_float(table.dtype(), [&]<class T>() {
      kernels::gather_rows(D, table.data<T>(), id, count, rows.data<T>());
    });
    call.tape().record(rows, [table, rows, id, count, D] {
      with_float(table.dtype(), [&]<class T>() {
        kernels::scatter_add_rows(D, rows.gradient<T>(), id, count, table.gradient<T>());
      });
    });
    if (mask) call.set_mask(mask);
    return rows;
  }

  Var reversed(Call& call, const Var& x) {
    reverse_.prepare(x.dtype(), call.tape().recording());
    const Mask mask = x.rank() == 3 ? call.mask() : Mask{};
    const KeptRows kept = kept_rows_of(call, mask, x.time_first());
    if (mask) call.set_mask(mask);
    return packed_product(call, reverse_, x, kept.which, kept.count);
  }

  Mask mask_of(Call& call, const Var& ids) const {
    if (!options_.mask_zero || ids.rank() != 2) return {};
    const Index time = ids.shape()[0], rows = ids.shape()[1];
    auto* data = call.tape().arena().take<std::uint8_t>(time * rows);
    const auto* id = ids.data<std::int32_t>();
    for (Index i = 0; i < time * rows; ++i) data[i] = id[i] != 0 ? 1 : 0;
    return {data, time, rows};
  }

  [[noreturn]] void refuse(std::int32_t id) const {
    throw Error(ErrorKind::value, titled(*this) + ": an id lies outside the table",
                {.got = std::to_string(id),
                 .want = "0 to " + std::to_string(input_dim_ - 1),
                 .hint = "input_dim is the largest id plus 1"});
  }

  Index input_dim_ = 1, output_dim_ = 1;
  ReversibleEmbeddingOptions options_;
  Parameter* table_ = nullptr;
  PackedKernel reverse_;
};

}  // namespace

ReversibleEmbedding::ReversibleEmbedding(Index input_dim, Index output_dim,
                                         const ReversibleEmbeddingOptions& options)
    : Layer(named<ReversibleEmbeddingImpl>(options.name, input_dim, output_dim, options)) {}

std::shared_ptr<LayerImpl> make_reversible_embedding(std::string_view class_name,
                                                     Describer& options) {
  return class_name == "ReversibleEmbedding" ? described<ReversibleEmbeddingImpl>(options)
                                             : nullptr;
}

}  // namespace unroll
