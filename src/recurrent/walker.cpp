#include "src/recurrent/walker.h"

#include <algorithm>
#include <cstring>

#include "src/autograd/dispatch.h"
#include "src/kernels/recurrent_table.h"
#include "src/layers/plain.h"
#include "src/recurrent/cells.h"
#include "src/recurrent/newer_cells.h"

namespace unroll {

namespace {

/// uint8 (rows, 1) of one step: a condition for where().
Var kept_rows(Call& call, const Mask& mask, Index t) {
  return call.tape().leaf({mask.rows, 1}, DType::uint8,
                          const_cast<std::uint8_t*>(mask.data) + t * mask.rows, nullptr);
}

}  // namespace

Var zeros(Call& call, const Shape& shape, DType dtype) {
  Var value = call.tape().result(shape, dtype, false);
  std::memset(value.data<std::byte>(), 0,
              static_cast<std::size_t>(value.elements() * size_of(dtype)));
  return value;
}

void WalkerImpl::describe(Describer& d) {
  const bool cell_is_an_option = class_name_ == "RNN";
  if (cell_is_an_option) {
    std::shared_ptr<Component> cell = cell_;
    d.field("cell", cell);
    cell_ = std::dynamic_pointer_cast<CellImpl>(cell);
  } else {
    cell_->describe(d);
  }
  d.field("activity_regularizer", activity_regularizer);
  d.field("return_sequences", walk_.return_sequences);
  d.field("return_state", walk_.return_state);
  d.field("go_backwards", walk_.go_backwards);
  d.field("stateful", walk_.stateful);
  d.field("unroll", walk_.unroll);
  d.field("zero_output_for_mask", walk_.zero_output_for_mask);
}

void WalkerImpl::build(std::span<const Shape> inputs) {
  const Shape& x = inputs[0];
  if (x.rank() != 3) {
    const std::string hint =
        x.rank() == 2 ? "x.reshape({" + (x[0] == unknown ? "rows" : std::to_string(x[0])) + ", " +
                            std::to_string(x[1]) + ", 1}) gives each step one feature"
                      : "";
    throw Error(ErrorKind::shape, titled(*this) + ": input has the wrong rank",
                {.got = x.to_string(),
                 .want = "(batch, time, features), for example (32, 50, 1)",
                 .hint = hint});
  }
  if (x[2] == unknown) {
    throw Error(ErrorKind::shape, titled(*this) + ": the number of features is not known",
                {.got = x.to_string(), .want = "(batch, time, features)"});
  }
  features_ = x[2];
  add_child(cell_);
  cell_->build_cell(features_);
  state_sizes_ = cell_->state_sizes();
  output_size_ = cell_->output_size();
  fused_ = dynamic_cast<const FusedCell*>(cell_.get());
  if (fused_ != nullptr && !kernels::fused(fused_->kernel_shape())) fused_ = nullptr;
  scanned_ = dynamic_cast<ScannedCell*>(cell_.get());
  if (scanned_ != nullptr && !scanned_->can_scan()) scanned_ = nullptr;
}

std::vector<Shape> WalkerImpl::output_shapes(std::span<const Shape> inputs) const {
  const Shape& x = inputs[0];
  if (x.rank() != 3 || x[2] != features_) {
    throw Error(ErrorKind::shape, titled(*this) + ": input has another number of features",
                {.got = x.to_string(), .want = "(batch, time, " + std::to_string(features_) + ")"});
  }
  if (inputs.size() != 1 && inputs.size() != 1 + state_sizes_.size()) {
    throw Error(
        ErrorKind::shape, titled(*this) + ": another number of initial states",
        {.got = std::to_string(inputs.size() - 1), .want = std::to_string(state_sizes_.size())});
  }
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    if (inputs[i].rank() == 2 && inputs[i][1] == state_sizes_[i - 1]) continue;
    throw Error(ErrorKind::shape, titled(*this) + ": an initial state has another shape",
                {.got = inputs[i].to_string(),
                 .want = "(batch, " + std::to_string(state_sizes_[i - 1]) + ")"});
  }
  std::vector<Shape> shapes;
  shapes.push_back(walk_.return_sequences ? Shape{x[0], x[1], output_size_}
                                          : Shape{x[0], output_size_});
  if (walk_.return_state) {
    for (Index size : state_sizes_) shapes.push_back({x[0], size});
  }
  return shapes;
}

std::vector<Shape> WalkerImpl::state_shapes(Index batch) const {
  if (!walk_.stateful) return {};
  std::vector<Shape> shapes;
  for (Index size : state_sizes_) shapes.push_back({batch, size});
  return shapes;
}

std::vector<Shape> WalkerImpl::part_shapes(Index batch) const {
  if (walk_.go_backwards) throw reads_from_the_end(*this);
  std::vector<Shape> shapes;
  for (Index size : state_sizes_) shapes.push_back({batch, size});
  return shapes;
}

Error reads_from_the_end(const LayerImpl& layer) {
  return Error(ErrorKind::unsupported, titled(layer) + ": cannot be trained in parts",
               {.got = "a layer that reads sequences from their end",
                .hint = "leave tbptt out, or the layer"});
}

void WalkerImpl::refresh(PackedCopy& copy, const kernels::RecurrentShape& shape, DType dtype,
                         bool training) {
  const FusedCell::Weights w = fused_->weights();
  const Index version = w.kernel->version() + w.recurrent_kernel->version() +
                        (w.bias != nullptr ? w.bias->version() : 0);
  with_float(dtype, [&]<class T>() {
    const Index bytes = kernels::recurrent_packed_size<T>(shape) * static_cast<Index>(sizeof(T));
    const auto numbers = [](const Parameter* p) {
      return p == nullptr ? nullptr : p->value().template values<T>().data();
    };
    copy.refresh(version, dtype, training, bytes, [&](void* memory) {
      kernels::recurrent_pack(shape, numbers(w.kernel), numbers(w.recurrent_kernel),
                              numbers(w.bias), training, static_cast<T*>(memory));
    });
  });
}

void WalkerImpl::prepare(DType dtype, bool training) {
  cell_->prepare(dtype, training);
  if (fused_ != nullptr) refresh(packed_, fused_->kernel_shape(), dtype, training);
}

void WalkerImpl::prepare_tabulated(DType dtype) {
  kernels::RecurrentShape shape = fused_->kernel_shape();
  shape.features = 0;
  refresh(packed_recurrent_, shape, dtype, true);
}

Vars load_states(Call& call, const Component& owner) {
  Vars states;
  for (const Tensor& kept : call.states(owner)) {
    // A copy: the row's place in the session is overwritten before backward reads the old state.
    const Tensor rows = kept.rows(call.first_row(), call.first_row() + call.rows());
    Var state = call.tape().result(rows.shape(), rows.dtype(), false);
    std::memcpy(state.data<std::byte>(), rows.raw(), static_cast<std::size_t>(rows.bytes()));
    states.push_back(state);
  }
  return states;
}

void store_states(Call& call, const Component& owner, const Vars& states) {
  std::size_t i = 0;
  for (const Tensor& kept : call.states(owner)) {
    Tensor rows = kept.rows(call.first_row(), call.first_row() + call.rows());
    std::memcpy(rows.raw(), states[i++].data<std::byte>(), static_cast<std::size_t>(rows.bytes()));
  }
}

Vars WalkerImpl::call(Call& call, const Vars& inputs) {
  return walk_through(call, inputs, nullptr);
}

std::optional<TableKernel> WalkerImpl::table_kernel() const {
  if (fused_ == nullptr || step_by_step_) return std::nullopt;
  if (fused_->dropout() > 0 || fused_->recurrent_dropout() > 0) return std::nullopt;
  const FusedCell::Weights w = fused_->weights();
  return TableKernel{fused_->kernel_shape(), w.kernel, w.bias};
}

Vars WalkerImpl::call_tabulated(Call& call, const Vars& inputs, const TableRows& rows) {
  return walk_through(call, inputs, &rows);
}

Vars WalkerImpl::walk_through(Call& call, const Vars& inputs, const TableRows* rows) {
  // A mask that merely travelled with x is not used beside given states: Keras's rule.
  const bool masked = inputs.size() == 1 || call.explicit_mask();
  const Mask mask = masked ? call.mask() : Mask{};
  Vars initial;
  for (std::size_t i = 1; i < inputs.size(); ++i) initial.push_back(inputs[i]);
  // None unless the layer is stateful, or the sequence comes in parts.
  const bool carries = !call.states(*this).empty();
  if (carries && initial.empty()) initial = load_states(call, *this);
  Vars outputs = rows != nullptr ? run_fused(call, inputs[0], mask, initial, rows)
                                 : run(call, inputs[0], mask, initial);
  if (carries) {
    Vars states;
    for (std::size_t i = 1; i < outputs.size(); ++i) states.push_back(outputs[i]);
    store_states(call, *this, states);
  }
  // The mask that came with x goes on, whether or not it was used.
  if (walk_.return_sequences) call.set_mask(call.mask());
  if (walk_.return_state) return outputs;
  return {outputs[0]};
}

bool WalkerImpl::runs_fused(const Call& call) const {
  return fused_ != nullptr && !step_by_step_ &&
         !(call.training() && fused_->recurrent_dropout() > 0);
}

Vars WalkerImpl::run(Call& call, const Var& x, const Mask& mask, const Vars& initial) {
  if (scanned_ != nullptr && !step_by_step_) return run_scan(call, x, mask, initial);
  if (!runs_fused(call)) return run_steps(call, x, mask, initial);
  if (!call.training() || fused_->dropout() <= 0) return run_fused(call, x, mask, initial);
  const Var scale =
      cell_dropout(call, *cell_, x, features_, fused_->dropout(), fused_->seed(), false);
  return run_fused(call, x * scale, mask, initial);
}

Vars WalkerImpl::run_steps(Call& call, const Var& x, const Mask& mask, const Vars& initial) {
  const Index time = x.shape()[0], rows = x.shape()[1];
  Vars states = initial;
  if (states.empty()) {
    for (Index size : state_sizes_) states.push_back(zeros(call, {rows, size}, x.dtype()));
  }
  Var* outputs = call.tape().arena().take_small<Var>(std::max<Index>(time, 1));
  Var previous = zeros(call, {rows, output_size_}, x.dtype());
  const Var nothing = previous;
  for (Index s = 0; s < time; ++s) {
    const Index t = walk_.go_backwards ? time - 1 - s : s;
    Step step = cell_->step(call, x[{t}], states);
    if (mask) {
      const Var kept = kept_rows(call, mask, t);
      step.output = where(kept, step.output, walk_.zero_output_for_mask ? nothing : previous);
      for (std::size_t i = 0; i < states.size(); ++i) {
        step.states[i] = where(kept, step.states[i], states[i]);
      }
    }
    states = step.states;
    previous = step.output;
    new (outputs + s) Var(step.output);
  }
  Vars result;
  if (walk_.return_sequences) {
    const std::span<const Var> all_outputs(outputs, static_cast<std::size_t>(time));
    result.push_back(stack(all_outputs, 0).set_time_first(true));
  } else {
    result.push_back(previous);
  }
  for (const Var& state : states) result.push_back(state);
  return result;
}

/// The mask of a sequence that is read from its end.
Mask WalkerImpl::in_order(Call& call, const Mask& mask) const {
  if (!mask || !walk_.go_backwards) return mask;
  auto* data = call.tape().arena().take<std::uint8_t>(mask.time * mask.rows);
  for (Index t = 0; t < mask.time; ++t) {
    std::copy_n(mask.data + (mask.time - 1 - t) * mask.rows, mask.rows, data + t * mask.rows);
  }
  return {data, mask.time, mask.rows};
}

Vars WalkerImpl::run_scan(Call& call, const Var& x, const Mask& mask, const Vars& initial) {
  const Mask ordered = in_order(call, mask);
  const Var steps = walk_.go_backwards ? reverse(x, 0) : x;
  // What a masked step repeats may be any step before it.
  const bool all_steps = walk_.return_sequences || ordered;
  Scanned found = scanned_->scan(call, steps, ordered, initial, all_steps);
  if (ordered) found.y = repeat_masked(found.y, ordered, walk_.zero_output_for_mask);
  if (walk_.return_sequences) found.y.set_time_first(true);
  if (all_steps && !walk_.return_sequences) found.y = found.y[{-1}];
  Vars result{found.y};
  for (const Var& state : found.states) result.push_back(state);
  return result;
}

namespace {

/// Whether a step takes so long (tens of microseconds) that meeting after it costs little.
bool worth_a_team(const kernels::RecurrentShape& shape) {
  const Index numbers = kernels::gates(shape.cell) * shape.units * (shape.units + shape.features);
  return shape.rows * numbers >= 1'000'000;
}

/// The entry on the tape of a walk through the kernels.
template <class T>
struct WayBack {
  kernels::RecurrentShape shape;
  kernels::RecurrentForward<T> forward;
  Var x, W, R, b, h0, c0, y, h, c;
  bool sequences;
  TableRows table;  // gradients null: x are no ids

  static T* reached(const Var& v) { return v && v.has_gradient() ? v.gradient<T>() : nullptr; }
  static T* wanted(const Var& v) { return v && v.needs_gradient() ? v.gradient<T>() : nullptr; }

  void operator()() {
    const bool none = !reached(y) && !reached(h) && !reached(c);
    if (none && table.gradients != nullptr && !table.by_id) {
      const Index width = kernels::recurrent_table_width<T>(shape);
      std::fill_n(static_cast<T*>(table.gradients), shape.time * shape.rows * width, T{0});
    }
    if (none) return;
    kernels::RecurrentBackward<T> call;
    call.mask = forward.mask;
    call.mask_step = forward.mask_step;
    call.zero_output_for_mask = forward.zero_output_for_mask;
    call.h0 = forward.h0;
    call.c0 = forward.c0;
    call.packed = forward.packed;
    call.saved = forward.saved;
    call.team = forward.team;
    call.dy = sequences ? reached(y) : nullptr;
    call.dlast = sequences ? nullptr : reached(y);
    call.dh_last = reached(h);
    call.dc_last = reached(c);
    call.drecurrent_kernel = wanted(R);
    call.dbias = wanted(b);
    call.dh0 = wanted(h0);
    call.dc0 = wanted(c0);
    if (table.gradients != nullptr) {
      to_table(call);
    } else {
      to_x(call);
    }
    base::Arena& arena = x.tape().arena();
    const auto mark = arena.mark();
    call.scratch = arena.take<T>(kernels::recurrent_scratch_size<T>(shape, true));
    kernels::recurrent_backward(shape, call);
    arena.release(mark);
  }
  void to_x(kernels::RecurrentBackward<T>& call) const {
    call.x = forward.x;
    call.x_step = forward.x_step;
    call.dkernel = wanted(W);
    T* dx = wanted(x);
    if (dx == nullptr) return;
    call.dx = dx + (forward.x - x.data<T>());
    call.dx_step = forward.x_step;
  }
  void to_table(kernels::RecurrentBackward<T>& call) const {
    const Index width = kernels::recurrent_table_width<T>(shape);
    call.dstarts = static_cast<T*>(table.gradients);
    if (table.by_id) {
      call.ids = forward.ids;
      call.ids_step = forward.ids_step;
      return;
    }
    call.dstarts += (forward.ids - x.data<std::int32_t>()) * width;
    call.dstarts_step = forward.ids_step * width;
  }
};

}  // namespace

Vars WalkerImpl::run_fused(Call& call, const Var& x, const Mask& mask, const Vars& initial,
                           const TableRows* rows) {
  Tape& tape = call.tape();
  const FusedCell::Weights weights = fused_->weights();
  kernels::RecurrentShape shape = fused_->kernel_shape();
  const bool tabulated = rows != nullptr;
  if (tabulated) {
    shape.features = 0;
    prepare_tabulated(tape.dtype());
  } else {
    prepare(tape.dtype(), tape.recording());
  }
  shape.time = x.shape()[0];
  shape.rows = x.shape()[1];

  const Var W = call.use(*weights.kernel), R = call.use(*weights.recurrent_kernel);
  const Var b = weights.bias != nullptr ? call.use(*weights.bias) : Var();
  const Var h0 = initial.empty() ? Var() : initial[0];
  const Var c0 = initial.size() > 1 ? initial[1] : Var();
  const auto has = [](const Var& v) { return v && v.needs_gradient(); };
  const bool needs = tabulated || has(x) || has(W) || has(R) || has(b) || has(h0) || has(c0);

  const bool sequences = walk_.return_sequences;
  const bool states = walk_.return_state || walk_.stateful || !call.states(*this).empty();
  const bool is_lstm = shape.cell == kernels::CellKind::lstm;
  const Shape row{shape.rows, shape.units};
  const Var y = tape.result(sequences ? row.with(0, shape.time) : row, tape.dtype(), needs);
  const Var h = states ? tape.result(row, tape.dtype(), needs) : Var();
  const Var c = states && is_lstm ? tape.result(row, tape.dtype(), needs) : Var();
  if (sequences) Var(y).set_time_first(true);

  with_float(tape.dtype(), [&]<class T>() {
    const auto numbers = [](const Var& v) { return v ? v.data<T>() : nullptr; };
    const Index x_step = shape.rows * shape.features, last = shape.time - 1;
    const bool backwards = walk_.go_backwards;
    kernels::RecurrentForward<T> forward;
    if (tabulated) {
      const Index first = backwards ? last * shape.rows : 0;
      forward.starts = static_cast<const T*>(rows->products);
      forward.ids = x.data<std::int32_t>() + first;
      forward.ids_step = backwards ? -shape.rows : shape.rows;
    } else {
      forward.x = x.data<T>() + (backwards ? last * x_step : 0);
      forward.x_step = backwards ? -x_step : x_step;
    }
    if (mask) {
      forward.mask = mask.data + (backwards ? last * shape.rows : 0);
      forward.mask_step = backwards ? -shape.rows : shape.rows;
    }
    forward.zero_output_for_mask = walk_.zero_output_for_mask;
    forward.h0 = numbers(h0);
    forward.c0 = numbers(c0);
    forward.packed = (tabulated ? packed_recurrent_ : packed_).data<T>();
    forward.y = sequences ? y.data<T>() : nullptr;
    forward.last = sequences ? nullptr : y.data<T>();
    forward.h_last = numbers(h);
    forward.c_last = numbers(c);
    if (worth_a_team(shape)) forward.team = tape.team();
    if (needs) forward.saved = tape.arena().take<T>(kernels::recurrent_saved_size<T>(shape));
    const auto before = tape.arena().mark();
    forward.scratch = tape.arena().take<T>(kernels::recurrent_scratch_size<T>(shape, needs));
    kernels::recurrent_forward(shape, forward);
    tape.arena().release(before);
    if (!needs) return;

    WayBack<T> back{shape, forward, x, W, R, b, h0, c0, y, h, c, sequences, {}};
    if (tabulated) back.table = *rows;
    tape.record_always(back);
  });
  Vars result{y};
  if (h) result.push_back(h);
  if (c) result.push_back(c);
  return result;
}

std::shared_ptr<SequenceImpl> WalkerImpl::twin_backwards() const {
  Cell cell = cell_->twin();
  if (cell == nullptr) return nullptr;
  auto twin = std::make_shared<WalkerImpl>(class_name_, std::move(cell), walk_);
  twin->walk_.go_backwards = !walk_.go_backwards;
  twin->activity_regularizer = activity_regularizer;
  return twin;
}

// --- handles ---

namespace {

Cell only_or_stacked(std::vector<Cell> cells) {
  return cells.size() == 1 ? cells[0] : StackedRNNCells(std::move(cells));
}

}  // namespace

Symbol Recurrent::operator()(const Symbols& x, const Symbols& initial_state) const {
  Symbols inputs = x;
  inputs.insert(inputs.end(), initial_state.begin(), initial_state.end());
  return connect(inputs, Symbol());
}

SimpleRNN::SimpleRNN(Index units, const SimpleRNNOptions& options)
    : Recurrent(walker("SimpleRNN", SimpleRNNCell(units, options), options)) {}
GRU::GRU(Index units, const GRUOptions& options)
    : Recurrent(walker("GRU", GRUCell(units, options), options)) {}
LSTM::LSTM(Index units, const LSTMOptions& options)
    : Recurrent(walker("LSTM", LSTMCell(units, options), options)) {}
RNN::RNN(Cell cell, const RNNOptions& options)
    : Recurrent(walker("RNN", std::move(cell), options)) {}
RNN::RNN(std::vector<Cell> cells, const RNNOptions& options)
    : RNN(only_or_stacked(std::move(cells)), options) {}

std::shared_ptr<LayerImpl> make_bidirectional(Describer& options);
std::shared_ptr<LayerImpl> make_conv_lstm(std::string_view class_name, Describer& options);
std::shared_ptr<LayerImpl> make_attention_decoder(std::string_view class_name, Describer& options);

std::shared_ptr<LayerImpl> make_recurrent_layer(std::string_view class_name, Describer& options) {
  if (class_name == "Bidirectional") return make_bidirectional(options);
  std::shared_ptr<LayerImpl> layer = make_conv_lstm(class_name, options);
  if (layer == nullptr) layer = make_attention_decoder(class_name, options);
  if (layer != nullptr) return layer;
  layer = make_newer_layer(class_name);
  if (class_name == "RNN") layer = std::make_shared<WalkerImpl>("RNN", nullptr, Walk{});
  if (class_name == "SimpleRNN") layer = walker("SimpleRNN", SimpleRNNCell(1), SimpleRNNOptions{});
  if (class_name == "GRU") layer = walker("GRU", GRUCell(1), GRUOptions{});
  if (class_name == "LSTM") layer = walker("LSTM", LSTMCell(1), LSTMOptions{});
  if (layer != nullptr) layer->describe(options);
  return layer;
}

}  // namespace unroll
