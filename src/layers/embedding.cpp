// Input, Embedding, Masking: where sequences and their masks begin.
#include <algorithm>
#include <cstring>

#include "src/autograd/dispatch.h"
#include "src/kernels/rows.h"
#include "src/layers/plain.h"
#include "src/layers/streamed.h"

namespace unroll {

namespace {

class InputImpl : public LayerImpl {
 public:
  InputImpl() = default;
  explicit InputImpl(const InputOptions& options)
      : shape_(options.shape.with(0, options.batch_size)) {}

  std::string_view class_name() const override { return "InputLayer"; }
  void describe(Describer& d) override { d.field("batch_shape", shape_); }
  std::vector<Shape> output_shapes(std::span<const Shape>) const override { return {shape_}; }
  Vars call(Call&, const Vars& inputs) override { return inputs; }
  Order order() const override { return Order::any; }

 private:
  Shape shape_{unknown};
};

/// The mask as the engine keeps it, (time, rows), from values that lie either way.
/// counts(i) says whether place i, in memory order, is kept.
template <class F>
Mask make_mask(Call& call, const Var& x, F counts) {
  const bool turned = x.rank() >= 2 && !x.time_first();
  const Index time = x.time_first() ? x.shape()[0] : x.shape()[1];
  const Index rows = x.time_first() ? x.shape()[1] : x.shape()[0];
  auto* data = call.tape().arena().take<std::uint8_t>(time * rows);
  for (Index t = 0; t < time; ++t) {
    for (Index r = 0; r < rows; ++r) {
      data[t * rows + r] = counts(turned ? r * time + t : t * rows + r) ? 1 : 0;
    }
  }
  return {data, time, rows};
}

class EmbeddingImpl : public LayerImpl {
 public:
  EmbeddingImpl() = default;
  EmbeddingImpl(Index input_dim, Index output_dim, const EmbeddingOptions& options)
      : input_dim_(positive("Embedding: input_dim", input_dim)),
        output_dim_(positive("Embedding: output_dim", output_dim)),
        options_(options) {
    activity_regularizer = options.activity_regularizer;
  }

  std::string_view class_name() const override { return "Embedding"; }
  void describe(Describer& d) override {
    d.field("input_dim", input_dim_);
    d.field("output_dim", output_dim_);
    d.field("embeddings_initializer", options_.embeddings_initializer);
    d.field("embeddings_regularizer", options_.embeddings_regularizer);
    d.field("activity_regularizer", activity_regularizer);
    d.field("embeddings_constraint", options_.embeddings_constraint);
    d.field("mask_zero", options_.mask_zero);
  }

  void build(std::span<const Shape> inputs) override {
    expect_inputs(*this, inputs, 1);
    table_ = &weight("embeddings", {input_dim_, output_dim_}, options_.embeddings_initializer,
                     options_.embeddings_regularizer, true, options_.embeddings_constraint);
    table_->sparse = true;
  }
  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override {
    Shape shape = inputs[0];
    shape.push_back(output_dim_);
    return {shape};
  }
  Order order() const override { return Order::time_first; }
  MaskRule mask_rule() const override { return MaskRule::own; }
  bool takes_ids(std::size_t) const override { return true; }
  Streaming streaming(std::span<const Shape>) const override { return Streaming::stepwise; }
  std::shared_ptr<const StreamedLayer> streamed(const StreamRequest& request) const override {
    if (request.inputs[0].rank() != 0) return nullptr;
    return step_function([this, table = kept_numbers(table_)](const StepRun& s) {
      const std::int32_t id = *s.ids;
      if (id < 0 || id >= input_dim_) throw outside_table(*this, id, input_dim_);
      std::copy_n(table.data() + id * output_dim_, output_dim_, s.outputs[0]);
      return !options_.mask_zero || id != 0;
    });
  }
  bool makes_masks() const override { return options_.mask_zero; }
  std::optional<double> padding() const override {
    return options_.mask_zero ? std::optional(0.0) : std::nullopt;
  }

  Vars call(Call& call, const Vars& inputs) override {
    const Var& ids = inputs[0];
    const std::int32_t* id = ids.data<std::int32_t>();
    for (Index i = 0; i < ids.elements(); ++i) {
      if (id[i] < 0 || id[i] >= input_dim_) throw outside_table(*this, id[i], input_dim_);
    }
    Shape shape = ids.shape();
    shape.push_back(output_dim_);
    const Var table = call.use(*table_);
    Var rows = call.tape().result(shape, {table});
    rows.set_time_first(ids.time_first());
    with_float(table.dtype(), [&]<class T>() {
      kernels::gather_rows(output_dim_, table.data<T>(), id, ids.elements(), rows.data<T>());
    });
    call.tape().record(rows, [this, &call, ids, rows] { call.add_sparse(*table_, ids, rows); });
    if (options_.mask_zero && ids.rank() == 2) {
      call.set_mask(make_mask(call, ids, [id](Index i) { return id[i] != 0; }));
    }
    return {rows};
  }

 private:
  Index input_dim_ = 1, output_dim_ = 1;
  EmbeddingOptions options_;
  Parameter* table_ = nullptr;
};

class MaskingImpl : public LayerImpl {
 public:
  MaskingImpl() = default;
  explicit MaskingImpl(const MaskingOptions& options) : options_(options) {}

  std::string_view class_name() const override { return "Masking"; }
  void describe(Describer& d) override { d.field("mask_value", options_.mask_value); }
  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override {
    expect_inputs(*this, inputs, 1);
    if (inputs[0].rank() != 3) {
      throw Error(ErrorKind::shape, titled(*this) + ": the input has the wrong rank",
                  {.got = inputs[0].to_string(), .want = "(batch, time, features)"});
    }
    return {inputs[0]};
  }
  Order order() const override { return Order::any; }
  MaskRule mask_rule() const override { return MaskRule::own; }
  Streaming streaming(std::span<const Shape>) const override { return Streaming::stepwise; }
  bool makes_masks() const override { return true; }
  std::optional<double> padding() const override { return options_.mask_value; }

  Vars call(Call& call, const Vars& inputs) override {
    const Var& x = inputs[0];
    const Index features = x.shape()[-1];
    Var keep = call.tape().result(x.shape(), x.dtype(), false);
    with_float(x.dtype(), [&]<class T>() {
      const T skipped = static_cast<T>(options_.mask_value);
      const T* in = x.data<T>();
      const auto counts = [=](Index i) {
        const T* step = in + i * features;
        return std::any_of(step, step + features, [=](T v) { return v != skipped; });
      };
      call.set_mask(make_mask(call, x, counts));
      for (Index i = 0; i < x.elements() / features; ++i) {
        std::fill_n(keep.data<T>() + i * features, features, counts(i) ? T{1} : T{0});
      }
    });
    return {x * keep};
  }

 private:
  MaskingOptions options_;
};

}  // namespace

Error outside_table(const Component& layer, Index id, Index rows) {
  return Error(ErrorKind::value, titled(layer) + ": an id lies outside the table",
               {.got = std::to_string(id),
                .want = "0 to " + std::to_string(rows - 1),
                .hint = "input_dim is the largest id plus 1"});
}

InputLayer::InputLayer(const InputOptions& options)
    : Layer(named<InputImpl>(options.name, options)) {}

Symbol Input(const InputOptions& options) { return InputLayer(options)(Symbols{}); }

Embedding::Embedding(Index input_dim, Index output_dim, const EmbeddingOptions& options)
    : Layer(named<EmbeddingImpl>(options.name, input_dim, output_dim, options)) {}
Masking::Masking(const MaskingOptions& options)
    : Layer(named<MaskingImpl>(options.name, options)) {}

std::shared_ptr<LayerImpl> make_embedding(std::string_view class_name, Describer& options) {
  if (class_name == "InputLayer") return described<InputImpl>(options);
  if (class_name == "Embedding") return described<EmbeddingImpl>(options);
  if (class_name == "Masking") return described<MaskingImpl>(options);
  return nullptr;
}

}  // namespace unroll
