// Layers and the graphs they make.
//
//   Symbol words = Input({.shape = {100}});
//   Symbol h = Embedding(5000, 32)(words);
//   Symbol last = SimpleRNN(16, {.return_sequences = true})(h)[{all, -1, all}];
//
// A Layer is a handle: copies share the weights. It has no run-time state: states, masks and random
// numbers come in with each Call, so that many lanes and many callers may run it at once.
//
// To write a layer, derive from LayerImpl: `build` declares weights, `output_shapes` says what
// comes out, `call` computes it in ordinary operations on Vars. To write a recurrent cell, see
// unroll/recurrent.h.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/autograd.h"
#include "unroll/initializers.h"

namespace unroll {

// --- weights ---

/// One weight of a layer. Its numbers are a tensor of their own or, once a model trains, a slice of
/// that model's flat vector; reading it through value() is the same either way.
class Parameter {
 public:
  Parameter(std::string name, const Shape& shape, const Initializer& initializer,
            Regularizer regularizer, bool trainable, const Constraint& constraint = {});

  const std::string& name() const noexcept { return name_; }
  const Shape& shape() const noexcept { return shape_; }
  Index elements() const noexcept { return value_.elements(); }
  bool trainable = true;
  /// Whether it may be trainable at all: a moving average may not.
  bool can_train() const noexcept { return can_train_; }
  /// Lanes keep only the rows that were used of this weight's gradient: an embedding table.
  bool sparse = false;

  const Regularizer& regularizer() const noexcept { return regularizer_; }
  const Constraint& constraint() const noexcept { return constraint_; }
  const Initializer& initializer() const noexcept { return initializer_; }
  const Tensor& value() const noexcept { return value_; }

  /// Copies numbers in (converted to this weight's precision). Throws: Error (shape).
  void assign(const Tensor& numbers);
  /// The first values, unless it has some already.
  void initialize(std::uint64_t seed, std::uint64_t stream);
  bool initialized() const noexcept { return initialized_; }

  /// Works on the initializer's values, in float64: for weights whose first values hang together.
  std::function<void(Tensor&)> adjust;

  /// For models: moves the numbers to another place, and says that they have changed.
  void move_to(Tensor place);
  void touch() noexcept { ++version_; }
  /// Grows whenever the numbers may have changed: packed copies compare it.
  Index version() const noexcept { return version_; }
  /// For models: where this weight stands in the list of the model that runs it; a hint.
  std::size_t position = 0;

 private:
  std::string name_;
  Shape shape_;
  Initializer initializer_;
  Regularizer regularizer_;
  Constraint constraint_;
  Tensor value_;
  bool can_train_ = true;
  bool initialized_ = false;
  Index version_ = 0;
};

// --- what a layer is given when it runs ---

/// Which (step, row) of a sequence counts: 1 = keep. (time, rows), time first, whatever the order
/// of the values beside it. Data null: everything counts.
struct Mask {
  const std::uint8_t* data = nullptr;
  Index time = 0;
  Index rows = 0;

  explicit operator bool() const noexcept { return data != nullptr; }
};

class Component;
class LayerImpl;

/// One run of the layers over some rows of a batch, as the layers see it.
class Call {
 public:
  virtual ~Call() = default;

  Tape& tape() noexcept { return *tape_; }
  bool training() const noexcept { return training_; }
  /// The rows of this lane: `rows()` of them, from `first_row()` of the batch on.
  Index rows() const noexcept { return rows_; }
  Index first_row() const noexcept { return first_row_; }

  /// A weight as a Var of this tape. The same Var however often it is asked for.
  virtual Var use(const Parameter& parameter) = 0;
  /// The gradient of a sparse weight: d_rows[i] belongs to row ids[i]. Kept until the lane ends.
  virtual void add_sparse(const Parameter& parameter, const Var& ids, const Var& d_rows) = 0;
  /// Adds what a layer's activity_regularizer makes of its outputs to the loss. The model calls it
  /// for its layers; a layer that calls others, for those.
  virtual void penalize(const LayerImpl& /*layer*/, const Vars& /*outputs*/) {}

  /// The mask that came with input i.
  Mask mask(std::size_t i = 0) const noexcept { return i < masks_.size() ? masks_[i] : Mask{}; }
  /// Whether that mask was given by the caller, rather than having travelled with the values.
  bool explicit_mask() const noexcept { return explicit_mask_; }
  /// The mask that goes with output i; only for layers whose mask_rule() is `own`.
  void set_mask(const Mask& mask, std::size_t i = 0);

  /// Runs f as if each row were `times` rows, without masks: for wrappers that make steps rows.
  template <class F>
  decltype(auto) with_rows_times(Index times, F f) {
    struct Restore {
      Call& call;
      Index rows, first_row;
      base::InlineVector<Mask, 6> masks, out_masks;
      bool explicit_mask;
      ~Restore() {
        call.rows_ = rows;
        call.first_row_ = first_row;
        call.masks_ = masks;
        call.out_masks_ = out_masks;
        call.explicit_mask_ = explicit_mask;
      }
    };
    const Restore restore{*this, rows_, first_row_, masks_, out_masks_, explicit_mask_};
    rows_ *= times;
    first_row_ *= times;
    masks_.clear();
    explicit_mask_ = false;
    return f();
  }

  /// The carried states of a stateful component, all rows of the batch; empty where it has none.
  virtual std::span<Tensor> states(const Component& component) = 0;

  /// What names the random numbers of a component in this step: give both to base::Random or
  /// dropout().
  std::uint64_t seed() const noexcept { return seed_; }
  std::uint64_t stream(const Component& component) const noexcept;

 protected:
  Tape* tape_ = nullptr;
  std::uint64_t seed_ = 0;
  std::uint64_t step_ = 0;
  bool training_ = false;
  bool explicit_mask_ = false;
  Index rows_ = 0;
  Index first_row_ = 0;
  base::InlineVector<Mask, 6> masks_;
  base::InlineVector<Mask, 6> out_masks_;
};

// --- what layers and cells have in common ---

/// Reads or writes the options of a component, field by field: one description serves construction
/// from text, saving, loading and help. Names are Keras's.
class Describer {
 public:
  virtual ~Describer() = default;
  virtual void field(std::string_view name, bool& value) = 0;
  virtual void field(std::string_view name, Index& value) = 0;
  virtual void field(std::string_view name, double& value) = 0;
  virtual void field(std::string_view name, std::string& value) = 0;
  virtual void field(std::string_view name, Activation& value) = 0;
  virtual void field(std::string_view name, Initializer& value) = 0;
  virtual void field(std::string_view name, Regularizer& value) = 0;
  virtual void field(std::string_view name, Constraint& value) = 0;
  virtual void field(std::string_view name, Shape& value) = 0;
  virtual void field(std::string_view name, Picks& value) = 0;
  /// A layer or cell inside this one; null where there is none.
  virtual void field(std::string_view name, std::shared_ptr<Component>& value) = 0;
  virtual void field(std::string_view name, std::vector<std::shared_ptr<Component>>& value) = 0;
};

/// Something that has weights: a layer or a cell.
class Component {
 public:
  virtual ~Component() = default;
  Component() = default;
  Component(const Component&) = delete;
  Component& operator=(const Component&) = delete;

  /// Keras's class name: "SimpleRNN".
  virtual std::string_view class_name() const = 0;
  /// Names the options, to be read or written.
  virtual void describe(Describer&) {}

  /// The name in the model; given by the user, or by the model ("simple_rnn_1"). Empty until then.
  std::string name;

  /// For models: where it stands among the components of the model; names its random numbers.
  std::uint32_t ordinal = 0;

  /// All weights, those of inner components too, in the order of Keras's get_weights().
  std::vector<Parameter*> parameters() const;
  const std::vector<std::shared_ptr<Component>>& children() const noexcept { return children_; }

  /// Refreshes packed copies of weights that have changed. The model calls it before lanes start.
  virtual void prepare(DType, bool /*training*/) {}

 protected:
  /// Declares a weight; call it from build.
  Parameter& weight(std::string name, const Shape& shape, const Initializer& initializer,
                    Regularizer regularizer = {}, bool trainable = true,
                    const Constraint& constraint = {});
  void add_child(std::shared_ptr<Component> child) { children_.push_back(std::move(child)); }

 private:
  std::vector<std::unique_ptr<Parameter>> own_;
  std::vector<std::shared_ptr<Component>> children_;
};

/// How the first two axes of a layer's sequences lie in memory.
enum class Order {
  batch_first,  ///< (batch, time, ...): the rule for layers of a user's own
  time_first,   ///< (time, batch, ...): layers that walk through time
  any,          ///< either; the outputs lie as the inputs do
};

/// What happens to the mask of the first input.
enum class MaskRule {
  drop,
  pass,
  own,  ///< the layer calls set_mask itself
};

/// What a layer does along time, for those who give it sequences one step at a time
/// (unroll/stream.h).
enum class Streaming {
  never,     ///< a step of the output needs later steps, or earlier ones that no state stands for
  stepwise,  ///< it needs the same step of the inputs and the states of part_shapes()
  last,      ///< likewise, and the output has no time: it is that of a sequence that ends here
};

struct StreamRequest;
class StreamedLayer;

/// What a layer is made of. Derive from it to write one.
class LayerImpl : public Component {
 public:
  /// Adds to the loss: of every number that the layer gives, over the rows of the batch.
  Regularizer activity_regularizer = {};

  /// Declares the weights. Called once, with the shapes of the inputs (axis 0 is the batch,
  /// unknown). Throws: Error (shape) where the layer cannot take them.
  virtual void build(std::span<const Shape> /*inputs*/) {}
  virtual std::vector<Shape> output_shapes(std::span<const Shape> inputs) const = 0;
  /// Computes the outputs; sequences lie as order() says.
  virtual Vars call(Call& call, const Vars& inputs) = 0;

  virtual Order order() const { return Order::batch_first; }
  virtual MaskRule mask_rule() const { return MaskRule::drop; }
  /// Whether an input holds int32 ids rather than real numbers.
  virtual bool takes_ids(std::size_t /*input*/) const { return false; }
  /// Whether masks begin here.
  virtual bool makes_masks() const { return false; }
  /// The number that a masked step of its input is filled with; none for layers that make no masks.
  virtual std::optional<double> padding() const { return std::nullopt; }
  /// Shapes of the states carried from batch to batch; none unless stateful.
  virtual std::vector<Shape> state_shapes(Index /*batch*/) const { return {}; }
  /// Shapes of the states that go from part to part where long sequences are trained in parts.
  /// Throws: Error (unsupported) for a layer that reads sequences from their end.
  virtual std::vector<Shape> part_shapes(Index batch) const { return state_shapes(batch); }
  /// How it is used one step at a time. Shapes: of the inputs, with their time.
  virtual Streaming streaming(std::span<const Shape> /*inputs*/) const { return Streaming::never; }
  /// A quick form of one step with weights of its own; null: one step goes through call().
  virtual std::shared_ptr<const StreamedLayer> streamed(const StreamRequest&) const {
    return nullptr;
  }
  /// Whether it draws random numbers for each row while it trains, in whatever order rows lie.
  virtual bool draws() const { return false; }
  /// Whether training needs all rows of a batch at once (its statistics): then there is one lane.
  virtual bool whole_batch() const { return false; }

  bool built() const noexcept { return built_; }
  void build_once(std::span<const Shape> inputs);
  /// Whether fit changes the weights, also those of a layer that is not built yet.
  bool trainable() const noexcept { return trainable_; }
  void set_trainable(bool trainable);
  /// The first use in a graph, while that graph lives.
  std::weak_ptr<struct GraphNode> first_use;

 private:
  bool built_ = false;
  bool trainable_ = true;
};

// --- graphs ---

class Symbol;

/// A list of symbols, also made from one.
class Symbols : public std::vector<Symbol> {
 public:
  using std::vector<Symbol>::vector;
  Symbols(const Symbol& one);
};

/// One use of a layer in a graph.
struct GraphNode;

/// An output of a node in a graph: a shape, no numbers. Axis 0 is the batch.
class Symbol {
 public:
  Symbol() = default;
  Symbol(std::shared_ptr<GraphNode> node, int output) : node_(std::move(node)), output_(output) {}

  explicit operator bool() const noexcept { return node_ != nullptr; }
  /// Throws: Error (shape) for a layer with several outputs that has not been unpacked.
  const Shape& shape() const;
  const std::shared_ptr<GraphNode>& node() const noexcept { return node_; }
  int output() const noexcept { return output_; }

  /// The single outputs of a layer that gives N. Throws: Error (shape) for another N.
  template <std::size_t N>
  std::array<Symbol, N> unpack() const {
    check_outputs(N);
    std::array<Symbol, N> parts;
    for (std::size_t i = 0; i < N; ++i) parts[i] = Symbol(node_, static_cast<int>(i));
    return parts;
  }

  /// A part; makes a GetItem layer: h[{all, -1, all}].
  Symbol operator[](std::initializer_list<Pick> picks) const;

  /// As an input of a layer. Throws: Error (shape) unless it is one output.
  const Symbol& single() const;

  /// Stands for all outputs of a layer that has several.
  static constexpr int every = -1;

 private:
  void check_outputs(std::size_t wanted) const;

  std::shared_ptr<GraphNode> node_;
  int output_ = 0;
};

struct GraphNode {
  std::shared_ptr<LayerImpl> layer;
  Symbols inputs;
  /// Explicit masks, (batch, time) each: entry i for input i, an empty Symbol for none. No entries:
  /// masks travel by themselves.
  Symbols masks;
  std::vector<Shape> shapes;  ///< of the outputs
  /// Order of creation, so that a model names its layers in the order they were written.
  std::uint64_t serial = 0;
};

/// A handle to a layer; copies share its weights.
class Layer {
 public:
  explicit Layer(std::shared_ptr<LayerImpl> impl) : impl_(std::move(impl)) {}

  /// Uses the layer in a graph; builds it on first use.
  /// Throws: Error (shape) where the inputs do not fit.
  Symbol operator()(const Symbols& inputs) const { return connect(inputs, Symbols()); }
  /// The same with explicit masks (batch, time), one for each of the first inputs; an empty Symbol
  /// where one has none.
  Symbol connect(const Symbols& inputs, const Symbols& masks) const;

  const std::string& name() const noexcept { return impl_->name; }
  std::string_view class_name() const { return impl_->class_name(); }
  bool built() const noexcept { return impl_->built(); }
  Index count_params() const;

  /// Copies of the weights, in Keras's order and layouts.
  std::vector<Tensor> get_weights() const;
  /// Throws: Error (shape) for another number or other shapes; Error (value) if not built.
  void set_weights(const std::vector<Tensor>& weights);
  /// Whether fit changes the weights; may be said before the layer is built. Frozen, a
  /// BatchNormalization also keeps its statistics, as in Keras.
  void set_trainable(bool trainable);

  /// The output of the layer's first use in a graph. Throws: Error (value) if it has not been used.
  Symbol output() const;
  Symbol input() const;

  LayerImpl& impl() const noexcept { return *impl_; }
  const std::shared_ptr<LayerImpl>& shared_impl() const noexcept { return impl_; }

 protected:
  std::shared_ptr<LayerImpl> impl_;
};

}  // namespace unroll
