// SimpleRNNCell, GRUCell, LSTMCell: their weights, and one step in ordinary operations.
#include "src/recurrent/cells.h"

#include <utility>

#include "src/autograd/dispatch.h"
#include "src/base/random.h"
#include "src/recurrent/newer_cells.h"
#include "unroll/error.h"

namespace unroll {

namespace {

constexpr std::uint64_t recurrent_stream = std::uint64_t{1} << 63;

Var dropped(Call& call, const Component& cell, const Var& x, double rate, Index seed,
            bool recurrent) {
  if (!call.training() || rate <= 0) return x;
  return x * cell_dropout(call, cell, x, x.shape()[-1], rate, seed, recurrent);
}

/// Part i of the gates side by side.
Var gate_of(const Var& v, Index i, Index units) {
  return v[{all, range(i * units, (i + 1) * units)}];
}

Index checked_units(std::string_view cell, Index units) {
  if (units >= 1) return units;
  throw Error(ErrorKind::value, std::string(cell) + ": units is not positive",
              {.got = std::to_string(units), .want = "1 or more"});
}

}  // namespace

Var cell_dropout(Call& call, const Component& cell, const Var& like, Index features, double rate,
                 Index seed, bool recurrent) {
  const std::uint64_t chosen = seed >= 0 ? static_cast<std::uint64_t>(seed) : call.seed();
  const base::Random random(chosen, call.stream(cell) | (recurrent ? recurrent_stream : 0));
  Var scale = call.tape().result({call.rows(), features}, like.dtype(), false);
  with_float(like.dtype(), [&]<class T>() {
    const T keep = rate < 1 ? static_cast<T>(1 / (1 - rate)) : T{0};
    const Index start = call.first_row() * features;
    for (Index i = 0; i < scale.elements(); ++i) {
      const double draw = random.uniform(static_cast<std::uint64_t>(start + i));
      scale.data<T>()[i] = draw < rate ? T{0} : keep;
    }
  });
  return scale;
}

// --- SimpleRNN ---

SimpleRNNCellImpl::SimpleRNNCellImpl(Index units, const SimpleRNNOptions& options)
    : units_(checked_units("SimpleRNN", units)), options_(options) {}

void SimpleRNNCellImpl::describe(Describer& d) {
  d.field("units", units_);
  d.field("activation", options_.activation);
  d.field("use_bias", options_.use_bias);
  d.field("kernel_initializer", options_.kernel_initializer);
  d.field("recurrent_initializer", options_.recurrent_initializer);
  d.field("bias_initializer", options_.bias_initializer);
  d.field("kernel_regularizer", options_.kernel_regularizer);
  d.field("recurrent_regularizer", options_.recurrent_regularizer);
  d.field("bias_regularizer", options_.bias_regularizer);
  d.field("kernel_constraint", options_.kernel_constraint);
  d.field("recurrent_constraint", options_.recurrent_constraint);
  d.field("bias_constraint", options_.bias_constraint);
  d.field("dropout", options_.dropout);
  d.field("recurrent_dropout", options_.recurrent_dropout);
  d.field("seed", options_.seed);
}

void SimpleRNNCellImpl::build_cell(Index features) {
  declare(features, units_, options_.use_bias ? Shape{units_} : Shape{}, options_);
}

Step SimpleRNNCellImpl::step(Call& call, const Var& x, const Vars& states) {
  const Var in = dropped(call, *this, x, options_.dropout, options_.seed, false);
  const Var h = dropped(call, *this, states[0], options_.recurrent_dropout, options_.seed, true);
  Var a = matmul(in, call.use(*kernel_));
  if (bias_ != nullptr) a = a + call.use(*bias_);
  return combine(a, matmul(h, call.use(*recurrent_kernel_)), states);
}

Step SimpleRNNCellImpl::combine(const Var& a, const Var& u, const Vars&) const {
  const Var next = activate(a + u, options_.activation);
  return {next, {next}};
}

// --- GRU ---

GRUCellImpl::GRUCellImpl(Index units, const GRUOptions& options)
    : units_(checked_units("GRU", units)), options_(options) {}

void GRUCellImpl::describe(Describer& d) {
  d.field("units", units_);
  d.field("activation", options_.activation);
  d.field("recurrent_activation", options_.recurrent_activation);
  d.field("use_bias", options_.use_bias);
  d.field("kernel_initializer", options_.kernel_initializer);
  d.field("recurrent_initializer", options_.recurrent_initializer);
  d.field("bias_initializer", options_.bias_initializer);
  d.field("kernel_regularizer", options_.kernel_regularizer);
  d.field("recurrent_regularizer", options_.recurrent_regularizer);
  d.field("bias_regularizer", options_.bias_regularizer);
  d.field("kernel_constraint", options_.kernel_constraint);
  d.field("recurrent_constraint", options_.recurrent_constraint);
  d.field("bias_constraint", options_.bias_constraint);
  d.field("dropout", options_.dropout);
  d.field("recurrent_dropout", options_.recurrent_dropout);
  d.field("seed", options_.seed);
  d.field("reset_after", options_.reset_after);
}

void GRUCellImpl::build_cell(Index features) {
  Shape bias;
  if (options_.use_bias) bias = options_.reset_after ? Shape{2, 3 * units_} : Shape{3 * units_};
  declare(features, units_, bias, options_, 3);
}

Step GRUCellImpl::step(Call& call, const Var& x, const Vars& states) {
  const Index U = units_;
  const Var in = dropped(call, *this, x, options_.dropout, options_.seed, false);
  const Var h = dropped(call, *this, states[0], options_.recurrent_dropout, options_.seed, true);
  const Var R = call.use(*recurrent_kernel_);
  Var a = matmul(in, call.use(*kernel_)), recurrent_bias;
  if (bias_ != nullptr) {
    const Var b = call.use(*bias_);
    a = a + (options_.reset_after ? b[{0}] : b);
    if (options_.reset_after) recurrent_bias = b[{1}];
  }
  if (options_.reset_after) {
    const Var u = matmul(h, R);
    return combine(a, recurrent_bias ? u + recurrent_bias : u, {h});
  }
  const Activation recurrent = options_.recurrent_activation;
  const Var u = matmul(h, R[{all, range(0, 2 * U)}]);
  const Var z = activate(gate_of(a, 0, U) + gate_of(u, 0, U), recurrent);
  const Var r = activate(gate_of(a, 1, U) + gate_of(u, 1, U), recurrent);
  const Var candidate =
      activate(gate_of(a, 2, U) + matmul(r * h, gate_of(R, 2, U)), options_.activation);
  const Var next = z * h + (1 - z) * candidate;
  return {next, {next}};
}

Step GRUCellImpl::combine(const Var& a, const Var& u, const Vars& states) const {
  const Index U = units_;
  const Activation recurrent = options_.recurrent_activation;
  const Var z = activate(gate_of(a, 0, U) + gate_of(u, 0, U), recurrent);
  const Var r = activate(gate_of(a, 1, U) + gate_of(u, 1, U), recurrent);
  const Var candidate = activate(gate_of(a, 2, U) + r * gate_of(u, 2, U), options_.activation);
  const Var next = z * states[0] + (1 - z) * candidate;
  return {next, {next}};
}

// --- LSTM ---

LSTMCellImpl::LSTMCellImpl(Index units, const LSTMOptions& options)
    : units_(checked_units("LSTM", units)), options_(options) {}

void LSTMCellImpl::describe(Describer& d) {
  d.field("units", units_);
  d.field("activation", options_.activation);
  d.field("recurrent_activation", options_.recurrent_activation);
  d.field("use_bias", options_.use_bias);
  d.field("kernel_initializer", options_.kernel_initializer);
  d.field("recurrent_initializer", options_.recurrent_initializer);
  d.field("bias_initializer", options_.bias_initializer);
  d.field("unit_forget_bias", options_.unit_forget_bias);
  d.field("kernel_regularizer", options_.kernel_regularizer);
  d.field("recurrent_regularizer", options_.recurrent_regularizer);
  d.field("bias_regularizer", options_.bias_regularizer);
  d.field("kernel_constraint", options_.kernel_constraint);
  d.field("recurrent_constraint", options_.recurrent_constraint);
  d.field("bias_constraint", options_.bias_constraint);
  d.field("dropout", options_.dropout);
  d.field("recurrent_dropout", options_.recurrent_dropout);
  d.field("seed", options_.seed);
}

void LSTMCellImpl::build_cell(Index features) {
  auto options = options_;
  if (options.unit_forget_bias) {
    options.bias_initializer = options.bias_initializer.with_unit_forget();
  }
  declare(features, units_, options_.use_bias ? Shape{4 * units_} : Shape{}, options, 4);
}

Step LSTMCellImpl::step(Call& call, const Var& x, const Vars& states) {
  const Var in = dropped(call, *this, x, options_.dropout, options_.seed, false);
  const Var h = dropped(call, *this, states[0], options_.recurrent_dropout, options_.seed, true);
  Var a = matmul(in, call.use(*kernel_));
  if (bias_ != nullptr) a = a + call.use(*bias_);
  return combine(a, matmul(h, call.use(*recurrent_kernel_)), states);
}

Step LSTMCellImpl::combine(const Var& a, const Var& u, const Vars& states) const {
  const Var both = a + u;
  const auto gate = [&](Index i, Activation activation) {
    return activate(gate_of(both, i, units_), activation);
  };
  const Var i = gate(0, options_.recurrent_activation);
  const Var f = gate(1, options_.recurrent_activation);
  const Var g = gate(2, options_.activation);
  const Var o = gate(3, options_.recurrent_activation);
  const Var c = f * states[1] + i * g;
  const Var next = o * activate(c, options_.activation);
  return {next, {next, c}};
}

// --- StackedRNNCells ---

StackedCellsImpl::StackedCellsImpl(std::vector<Cell> cells) : cells_(std::move(cells)) {
  if (cells_.empty()) throw Error(ErrorKind::value, "StackedRNNCells of no cells");
}

void StackedCellsImpl::describe(Describer& d) {
  std::vector<std::shared_ptr<Component>> list(cells_.begin(), cells_.end());
  d.field("cells", list);
  cells_.clear();
  for (auto& cell : list) cells_.push_back(std::dynamic_pointer_cast<CellImpl>(cell));
}

std::vector<Index> StackedCellsImpl::state_sizes() const {
  std::vector<Index> sizes;
  for (const Cell& cell : cells_) {
    const auto own = cell->state_sizes();
    sizes.insert(sizes.end(), own.begin(), own.end());
  }
  return sizes;
}

void StackedCellsImpl::build_cell(Index features) {
  for (const Cell& cell : cells_) {
    add_child(cell);
    cell->build_cell(features);
    state_counts_.push_back(cell->state_sizes().size());
    features = cell->output_size();
  }
}

Cell StackedCellsImpl::twin() const {
  std::vector<Cell> twins;
  for (const Cell& cell : cells_) {
    twins.push_back(cell->twin());
    if (twins.back() == nullptr) return nullptr;
  }
  return StackedRNNCells(std::move(twins));
}

Step StackedCellsImpl::step(Call& call, const Var& x, const Vars& states) {
  Step result{x, {}};
  std::size_t at = 0;
  for (std::size_t c = 0; c < cells_.size(); ++c) {
    Vars own;
    for (std::size_t i = 0; i < state_counts_[c]; ++i) own.push_back(states[at++]);
    const Step inner = cells_[c]->step(call, result.output, own);
    result.output = inner.output;
    for (const Var& state : inner.states) result.states.push_back(state);
  }
  return result;
}

// --- makers ---

Cell SimpleRNNCell(Index units, const SimpleRNNOptions& options) {
  return std::make_shared<SimpleRNNCellImpl>(units, options);
}
Cell GRUCell(Index units, const GRUOptions& options) {
  return std::make_shared<GRUCellImpl>(units, options);
}
Cell LSTMCell(Index units, const LSTMOptions& options) {
  return std::make_shared<LSTMCellImpl>(units, options);
}
Cell StackedRNNCells(std::vector<Cell> cells) {
  return std::make_shared<StackedCellsImpl>(std::move(cells));
}

Cell make_cell(std::string_view class_name, Describer& options) {
  Cell cell = make_newer_cell(class_name);
  if (class_name == "SimpleRNNCell") cell = std::make_shared<SimpleRNNCellImpl>();
  if (class_name == "GRUCell") cell = std::make_shared<GRUCellImpl>();
  if (class_name == "LSTMCell") cell = std::make_shared<LSTMCellImpl>();
  if (class_name == "StackedRNNCells") cell = std::make_shared<StackedCellsImpl>();
  if (cell != nullptr) cell->describe(options);
  return cell;
}

}  // namespace unroll
