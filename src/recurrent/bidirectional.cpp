// Bidirectional: two walks in opposite directions over the same input, joined.
#include "src/layers/plain.h"
#include "src/recurrent/walker.h"

namespace unroll {

namespace {

class BidirectionalImpl : public LayerImpl {
 public:
  BidirectionalImpl() = default;
  BidirectionalImpl(std::shared_ptr<Component> forward, std::shared_ptr<Component> backward,
                    std::string merge_mode)
      : layer_(std::move(forward)),
        backward_layer_(std::move(backward)),
        merge_mode_(std::move(merge_mode)) {
    check();
  }

  std::string_view class_name() const override { return "Bidirectional"; }
  void describe(Describer& d) override {
    d.field("layer", layer_);
    d.field("backward_layer", backward_layer_);
    d.field("merge_mode", merge_mode_);
    check();
  }

  Order order() const override { return Order::time_first; }
  MaskRule mask_rule() const override { return MaskRule::own; }

  void build(std::span<const Shape> inputs) override {
    add_child(layer_);
    add_child(backward_layer_);
    const std::string base =
        layer_->name.empty() ? std::string(layer_->class_name()) : layer_->name;
    layer_->name = "forward_" + base;
    backward_layer_->name = "backward_" + base;
    // Keras's rule: masked steps give zeros in a sequence, and the last output of a row otherwise.
    forward().set_zero_output_for_mask(forward().walk().return_sequences);
    backward().set_zero_output_for_mask(backward().walk().return_sequences);
    forward().build_once(inputs.first(1));
    backward().build_once(inputs.first(1));
  }

  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override {
    const auto of_forward = forward().output_shapes(part(inputs, false));
    const auto of_backward = backward().output_shapes(part(inputs, true));
    std::vector<Shape> shapes;
    Shape merged = of_forward[0];
    if (merge_mode_ == "concat") merged.set(-1, merged[-1] + of_backward[0][-1]);
    shapes.push_back(merged);
    if (merge_mode_ == "none") shapes.push_back(of_backward[0]);
    shapes.insert(shapes.end(), of_forward.begin() + 1, of_forward.end());
    shapes.insert(shapes.end(), of_backward.begin() + 1, of_backward.end());
    return shapes;
  }

  std::vector<Shape> state_shapes(Index batch) const override {
    auto shapes = forward().state_shapes(batch);
    const auto others = backward().state_shapes(batch);
    shapes.insert(shapes.end(), others.begin(), others.end());
    return shapes;
  }

  std::vector<Shape> part_shapes(Index) const override { throw reads_from_the_end(*this); }

  void prepare(DType dtype, bool training) override {
    forward().prepare(dtype, training);
    backward().prepare(dtype, training);
  }

  Vars call(Call& call, const Vars& inputs) override {
    const bool masked = inputs.size() == 1 || call.explicit_mask();
    const Mask mask = masked ? call.mask() : Mask{};
    const Var& x = inputs[0];
    Vars initial[2];
    Vars states;
    for (std::size_t i = 1; i < inputs.size(); ++i) {
      // A state of several axes may come as a sequence would; it has no time.
      states.push_back(inputs[i].time_first() ? swap_first_axes(inputs[i]) : inputs[i]);
    }
    const bool stateful = forward().walk().stateful;
    if (stateful && states.empty()) states = load_states(call, *this);
    for (std::size_t i = 0; i < states.size(); ++i) {
      initial[i < forward().states() ? 0 : 1].push_back(states[i]);
    }
    const Vars ahead = forward().run(call, x, mask, initial[0]);
    const Vars back = backward().run(call, x, mask, initial[1]);
    call.penalize(forward(), given(ahead));
    call.penalize(backward(), given(back));
    const bool sequences = forward().walk().return_sequences;
    Var y_back = back[0];
    if (sequences) {
      // In the order of the input again; the mask never left it.
      y_back = reverse(y_back, 0).set_time_first(true);
      call.set_mask(call.mask(), 0);
      if (merge_mode_ == "none") call.set_mask(call.mask(), 1);
    }
    Vars outputs = merged(ahead[0], y_back);
    Vars last;
    for (std::size_t i = 1; i < ahead.size(); ++i) last.push_back(ahead[i]);
    for (std::size_t i = 1; i < back.size(); ++i) last.push_back(back[i]);
    if (stateful) store_states(call, *this, last);
    if (forward().walk().return_state) {
      for (const Var& state : last) outputs.push_back(state);
    }
    return outputs;
  }

 private:
  SequenceImpl& forward() const { return static_cast<SequenceImpl&>(*layer_); }
  SequenceImpl& backward() const { return static_cast<SequenceImpl&>(*backward_layer_); }

  /// What a direction gives by itself: its states only where they are asked for.
  Vars given(const Vars& all) const { return forward().walk().return_state ? all : Vars{all[0]}; }

  /// x and the states of one direction.
  std::vector<Shape> part(std::span<const Shape> inputs, bool back) const {
    std::vector<Shape> own{inputs[0]};
    if (inputs.size() == 1) return own;
    const std::size_t split = 1 + forward().states();
    const auto states = back ? inputs.subspan(std::min(split, inputs.size()))
                             : inputs.subspan(1, std::min(split, inputs.size()) - 1);
    own.insert(own.end(), states.begin(), states.end());
    return own;
  }

  Vars merged(const Var& a, const Var& b) const {
    if (merge_mode_ == "none") return {a, b};
    if (merge_mode_ == "sum") return {a + b};
    if (merge_mode_ == "mul") return {a * b};
    if (merge_mode_ == "ave") return {(a + b) * 0.5};
    return {concat({a, b}, -1)};
  }

  void check() {
    const auto ahead = std::dynamic_pointer_cast<SequenceImpl>(layer_);
    if (ahead == nullptr) {
      throw Error(ErrorKind::value, "Bidirectional: the layer is not a recurrent one",
                  {.got = layer_ ? std::string(layer_->class_name()) : "nothing",
                   .want = "SimpleRNN, GRU, LSTM, RNN, ConvLSTM1D or ConvLSTM2D"});
    }
    if (backward_layer_ == nullptr) backward_layer_ = ahead->twin_backwards();
    const auto back = std::dynamic_pointer_cast<SequenceImpl>(backward_layer_);
    if (back == nullptr) {
      throw Error(ErrorKind::unsupported, "Bidirectional: this layer's cell cannot be copied",
                  {.hint = "give the backward layer too: Bidirectional(layer, backward_layer)"});
    }
    const Walk &a = ahead->walk(), &b = back->walk();
    if (a.go_backwards == b.go_backwards || a.return_sequences != b.return_sequences ||
        a.return_state != b.return_state || a.stateful != b.stateful) {
      throw Error(ErrorKind::value, "Bidirectional: the two layers do not fit together",
                  {.want = "one with go_backwards, the other without; the same return_sequences, "
                           "return_state and stateful"});
    }
    for (const char* known : {"concat", "sum", "mul", "ave", "none"}) {
      if (merge_mode_ == known) return;
    }
    throw Error(ErrorKind::value, "Bidirectional: no such merge_mode",
                {.got = "\"" + merge_mode_ + "\"", .want = "concat, sum, mul, ave or none"});
  }

  std::shared_ptr<Component> layer_, backward_layer_;
  std::string merge_mode_ = "concat";
};

}  // namespace

Bidirectional::Bidirectional(const Recurrent& layer, const BidirectionalOptions& options)
    : Recurrent(named<BidirectionalImpl>(options.name, layer.shared_impl(), nullptr,
                                         options.merge_mode)) {}
Bidirectional::Bidirectional(const Recurrent& layer, const Recurrent& backward_layer,
                             const BidirectionalOptions& options)
    : Recurrent(named<BidirectionalImpl>(options.name, layer.shared_impl(),
                                         backward_layer.shared_impl(), options.merge_mode)) {}

std::shared_ptr<LayerImpl> make_bidirectional(Describer& options) {
  auto impl = std::make_shared<BidirectionalImpl>();
  impl->describe(options);
  return impl;
}

}  // namespace unroll
