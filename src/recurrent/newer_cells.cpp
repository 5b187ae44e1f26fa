#include "src/recurrent/newer_cells.h"

#include <algorithm>
#include <cmath>

#include "src/layers/streamed.h"
#include "src/recurrent/fused.h"
#include "src/recurrent/walker.h"
#include "unroll/error.h"

namespace unroll {

namespace {

Index checked_units(const char* cell, Index units) {
  if (units >= 1) return units;
  throw Error(ErrorKind::value, std::string(cell) + ": units is not positive",
              {.got = std::to_string(units), .want = "1 or more"});
}

/// What all cells with a kernel have, in Keras's order.
template <class Options>
void describe_weights(Describer& d, Options& options) {
  d.field("kernel_initializer", options.kernel_initializer);
  if constexpr (requires { options.recurrent_initializer; }) {
    d.field("recurrent_initializer", options.recurrent_initializer);
  }
  if constexpr (requires { options.bias_initializer; }) {
    d.field("bias_initializer", options.bias_initializer);
  }
  d.field("kernel_regularizer", options.kernel_regularizer);
  if constexpr (requires { options.recurrent_regularizer; }) {
    d.field("recurrent_regularizer", options.recurrent_regularizer);
  }
  d.field("bias_regularizer", options.bias_regularizer);
  d.field("kernel_constraint", options.kernel_constraint);
  if constexpr (requires { options.recurrent_constraint; }) {
    d.field("recurrent_constraint", options.recurrent_constraint);
  }
  d.field("bias_constraint", options.bias_constraint);
  d.field("dropout", options.dropout);
  d.field("seed", options.seed);
}

/// The same rows' features are dropped at every step, so one scale serves (rows, features) and
/// (time, rows, features).
Var dropped_inputs(Call& call, const Component& cell, const Var& x, double rate, Index seed) {
  if (!call.training() || rate <= 0) return x;
  return x * cell_dropout(call, cell, x, x.shape()[-1], rate, seed, false);
}

Var initial_state(const Vars& initial) { return initial.empty() ? Var() : initial[0]; }

}  // namespace

template <class Options>
Var ProductCell<Options>::dropped(Call& call, const Var& x) const {
  return dropped_inputs(call, *this, x, options_.dropout, options_.seed);
}

// --- minGRU, minLSTM ---

void MinimalCell::describe(Describer& d) {
  d.field("units", units_);
  d.field("activation", options_.activation);
  d.field("use_bias", options_.use_bias);
  describe_weights(d, options_);
}

void MinimalCell::build_cell(Index features) {
  const Index gates = kernels::scan_gates(shape());
  declare_kernel(features, gates);
  if (options_.use_bias) declare_bias(gates * units_, options_.bias_initializer);
}

Scanned MinimalCell::scan(Call& call, const Var& x, const Mask& mask, const Vars& initial,
                          bool sequences) {
  const ScanResult r = scan_sequence(shape(),
                                     {.x = dropped(call, x),
                                      .kernel = call.use(*kernel_),
                                      .bias = optional(call, bias_),
                                      .initial = initial_state(initial),
                                      .mask = mask},
                                     sequences);
  return {r.y, {r.state}};
}

ScanWeights MinimalCell::stream_weights() const {
  return {.shape = shape(),
          .features = kernel_->shape()[0],
          .kernel = kept_numbers(kernel_),
          .bias = kept_numbers(bias_)};
}

MinGRUCellImpl::MinGRUCellImpl(Index units, const MinGRUOptions& options)
    : MinimalCell(kernels::ScanKind::min_gru, checked_units("MinGRU", units), options) {}

Step MinGRUCellImpl::step(Call& call, const Var& x, const Vars& states) {
  const Var p = product(call, x), z = sigmoid(part(p, 0));
  const Var next = (1 - z) * states[0] + z * candidate(p, 1);
  return {next, {next}};
}

MinLSTMCellImpl::MinLSTMCellImpl(Index units, const MinLSTMOptions& options)
    : MinimalCell(kernels::ScanKind::min_lstm, checked_units("MinLSTM", units), options) {}

Step MinLSTMCellImpl::step(Call& call, const Var& x, const Vars& states) {
  const Var p = product(call, x), f = sigmoid(part(p, 0)), i = sigmoid(part(p, 1));
  const Var next = (f * states[0] + i * candidate(p, 2)) / (f + i);
  return {next, {next}};
}

// --- SRU ---

SRUCellImpl::SRUCellImpl(Index units, const SRUOptions& options)
    : ProductCell(checked_units("SRU", units), options) {}

void SRUCellImpl::describe(Describer& d) {
  d.field("units", units_);
  d.field("highway", options_.highway);
  d.field("highway_bias", options_.highway_bias);
  describe_weights(d, options_);
}

double SRUCellImpl::skip_scale() const {
  return std::sqrt(1 + 2 * std::exp(options_.highway_bias));
}

void SRUCellImpl::build_cell(Index features) {
  features_ = features;
  declare_kernel(features, skips() ? 4 : 3);
  recurrent_kernel_ = &weight("recurrent_kernel", {2, units_}, options_.recurrent_initializer,
                              options_.recurrent_regularizer, true, options_.recurrent_constraint);
  declare_bias(2 * units_, "zeros");
  bias_->adjust = [units = units_, value = options_.highway_bias](Tensor& b) {
    std::ranges::fill(b.values<double>().subspan(static_cast<std::size_t>(units)), value);
  };
}

Step SRUCellImpl::step(Call& call, const Var& x, const Vars& states) {
  const Var in = dropped(call, x), p = matmul(in, call.use(*kernel_));
  const Var v = call.use(*recurrent_kernel_), b = call.use(*bias_);
  const auto gate = [&](Index i) {
    const Var bias = b[{range(i * units_, (i + 1) * units_)}];
    return sigmoid(part(p, 1 + i) + v[{i}] * states[0] + bias);
  };
  const Var f = gate(0), r = gate(1);
  const Var c = f * states[0] + (1 - f) * part(p, 0);
  Var y = r * c;
  if (options_.highway) y = y + (1 - r) * ((skips() ? part(p, 3) : in) * skip_scale());
  return {y, {c}};
}

Scanned SRUCellImpl::scan(Call& call, const Var& x, const Mask& mask, const Vars& initial,
                          bool sequences) {
  const Var in = dropped(call, x);
  const ScanResult r =
      scan_sequence({.kind = kernels::ScanKind::sru, .units = units_, .skips = skips()},
                    {.x = in,
                     .kernel = call.use(*kernel_),
                     .bias = call.use(*bias_),
                     .weights = call.use(*recurrent_kernel_),
                     .skip = options_.highway && !skips() ? in : Var(),
                     .initial = initial_state(initial),
                     .skip_scale = skip_scale(),
                     .mask = mask},
                    sequences);
  return {r.y, {r.state}};
}

ScanWeights SRUCellImpl::stream_weights() const {
  return {.shape = {.kind = kernels::ScanKind::sru, .units = units_, .skips = skips()},
          .features = features_,
          .kernel = kept_numbers(kernel_),
          .bias = kept_numbers(bias_),
          .weights = kept_numbers(recurrent_kernel_),
          .skip = options_.highway && !skips(),
          .skip_scale = skip_scale()};
}

// --- IndRNN ---

IndRNNCellImpl::IndRNNCellImpl(Index units, const IndRNNOptions& options)
    : ProductCell(checked_units("IndRNN", units), options) {}

void IndRNNCellImpl::describe(Describer& d) {
  d.field("units", units_);
  d.field("activation", options_.activation);
  d.field("use_bias", options_.use_bias);
  describe_weights(d, options_);
}

void IndRNNCellImpl::build_cell(Index features) {
  declare_kernel(features, 1);
  // One row, so that a norm over axis 0 is that of one unit's weight.
  recurrent_kernel_ = &weight("recurrent_kernel", {1, units_}, options_.recurrent_initializer,
                              options_.recurrent_regularizer, true, options_.recurrent_constraint);
  if (options_.use_bias) declare_bias(units_, options_.bias_initializer);
}

Step IndRNNCellImpl::step(Call& call, const Var& x, const Vars& states) {
  const Var next = activate(product(call, x) + call.use(*recurrent_kernel_)[{0}] * states[0],
                            options_.activation);
  return {next, {next}};
}

bool IndRNNCellImpl::can_scan() const {
  return kernels::can_scan({.activation = options_.activation});
}

Scanned IndRNNCellImpl::scan(Call& call, const Var& x, const Mask& mask, const Vars& initial,
                             bool sequences) {
  const ScanResult r = scan_sequence(
      {.kind = kernels::ScanKind::ind_rnn, .units = units_, .activation = options_.activation},
      {.x = dropped(call, x),
       .kernel = call.use(*kernel_),
       .bias = optional(call, bias_),
       .weights = call.use(*recurrent_kernel_),
       .initial = initial_state(initial),
       .mask = mask},
      sequences);
  return {r.y, {r.state}};
}

ScanWeights IndRNNCellImpl::stream_weights() const {
  return {.shape = {.kind = kernels::ScanKind::ind_rnn,
                    .units = units_,
                    .activation = options_.activation},
          .features = kernel_->shape()[0],
          .kernel = kept_numbers(kernel_),
          .bias = kept_numbers(bias_),
          .weights = kept_numbers(recurrent_kernel_)};
}

// --- QRNN ---

QRNNCellImpl::QRNNCellImpl(Index units, const QRNNOptions& options)
    : ProductCell(checked_units("QRNN", units), options) {
  if (options_.window >= 1) return;
  throw Error(ErrorKind::value, "QRNN: window is not positive",
              {.got = std::to_string(options_.window), .want = "1 or more"});
}

void QRNNCellImpl::describe(Describer& d) {
  d.field("units", units_);
  d.field("window", options_.window);
  d.field("activation", options_.activation);
  d.field("use_bias", options_.use_bias);
  describe_weights(d, options_);
}

std::vector<Index> QRNNCellImpl::state_sizes() const {
  if (options_.window == 1) return {units_};
  return {units_, (options_.window - 1) * features_};
}

void QRNNCellImpl::build_cell(Index features) {
  features_ = features;
  declare_kernel(options_.window * features, 3);
  if (options_.use_bias) declare_bias(3 * units_, options_.bias_initializer);
}

Step QRNNCellImpl::step(Call& call, const Var& x, const Vars& states) {
  // What is dropped of an input is dropped at each of the steps that see it.
  const Var in = dropped(call, x);
  const bool looks_back = options_.window > 1;
  const Var seen = looks_back ? concat({states[1], in}, 1) : in;
  Var p = matmul(seen, call.use(*kernel_));
  if (bias_ != nullptr) p = p + call.use(*bias_);
  const Var z = activate(part(p, 0), options_.activation);
  const Var f = sigmoid(part(p, 1)), o = sigmoid(part(p, 2));
  const Var c = f * states[0] + (1 - f) * z, y = o * c;
  if (!looks_back) return {y, {c}};
  return {y, {c, seen[{all, range(features_, options_.window * features_)}]}};
}

bool QRNNCellImpl::can_scan() const {
  return kernels::can_scan({.activation = options_.activation});
}

namespace {

/// Which step of (window - 1 + time) each step of a window is, for rows of which masks skip some:
/// the window looks back over kept steps only. Ids into ((window - 1 + time) rows).
Var window_ids(Tape& tape, const Mask& mask, Index window) {
  const Index time = mask.time, rows = mask.rows;
  const Var ids = tape.result({time + 1, rows, window}, DType::int32, false);
  auto* last = tape.arena().take_small<std::int32_t>(window);
  for (Index b = 0; b < rows; ++b) {
    for (Index j = 1; j < window; ++j) last[j] = static_cast<std::int32_t>((j - 1) * rows + b);
    last[0] = 0;  // of no use: the first kept step shifts it out
    for (Index t = 0; t <= time; ++t) {
      if (t < time && mask.data[t * rows + b] != 0) {
        std::copy(last + 1, last + window, last);
        last[window - 1] = static_cast<std::int32_t>((window - 1 + t) * rows + b);
      }
      std::copy_n(last, window, ids.data<std::int32_t>() + (t * rows + b) * window);
    }
  }
  return ids;
}

/// What each step's window sees, (time, rows, window features); and the inputs that the next
/// sequence begins with, (rows, (window - 1) features). `steps`: (window - 1 + time, rows,
/// features), those from before in front.
struct Windows {
  Var seen, last;
};

Windows windows_of(Tape& tape, const Var& steps, const Mask& mask, Index window) {
  const Index time = steps.shape()[0] - window + 1, rows = steps.shape()[1], F = steps.shape()[2];
  if (mask) {
    const Var table = reshape(steps, {steps.shape()[0] * rows, F});
    const Var sides =
        reshape(gather(table, window_ids(tape, mask, window)), {time + 1, rows, window * F});
    return {sides[{range(0, time)}], sides[{time, all, range(F, window * F)}]};
  }
  Vars shifted, last;
  for (Index j = 0; j < window; ++j) {
    shifted.push_back(steps[{range(j, j + time)}]);
    if (j > 0) last.push_back(steps[{time + j - 1}]);
  }
  const auto list = [](const Vars& parts) {
    return std::span<const Var>(parts.begin(), parts.size());
  };
  return {concat(list(shifted), 2), concat(list(last), 1)};
}

}  // namespace

Scanned QRNNCellImpl::scan(Call& call, const Var& x, const Mask& mask, const Vars& initial,
                           bool sequences) {
  const Index rows = x.shape()[1], k = options_.window, F = features_;
  Var seen = dropped(call, x), last;
  if (k > 1) {
    Var before = zeros(call, {k - 1, rows, F}, x.dtype());
    if (!initial.empty()) {
      before = swap_first_axes(reshape(initial[1], {rows, k - 1, F}));
    }
    const Windows windows = windows_of(call.tape(), concat({before, seen}, 0), mask, k);
    seen = windows.seen;
    last = windows.last;
  }
  const ScanResult r = scan_sequence(
      {.kind = kernels::ScanKind::qrnn, .units = units_, .activation = options_.activation},
      {.x = seen,
       .kernel = call.use(*kernel_),
       .bias = optional(call, bias_),
       .initial = initial_state(initial),
       .mask = mask},
      sequences);
  if (k == 1) return {r.y, {r.state}};
  return {r.y, {r.state, last}};
}

ScanWeights QRNNCellImpl::stream_weights() const {
  return {.shape = {.kind = kernels::ScanKind::qrnn,
                    .units = units_,
                    .activation = options_.activation},
          .features = features_,
          .window = options_.window,
          .kernel = kept_numbers(kernel_),
          .bias = kept_numbers(bias_)};
}

}  // namespace unroll
