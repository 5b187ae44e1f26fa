// The built-in cells.
#pragma once

#include <utility>

#include "src/recurrent/fused.h"

namespace unroll {

/// Kernel, recurrent kernel and bias, as all three built-in cells have them.
class GatedCell : public FusedCell {
 public:
  Weights weights() const override { return {kernel_, recurrent_kernel_, bias_}; }

 protected:
  template <class Options>
  void declare(Index features, Index units, const Shape& bias, const Options& options,
               Index gates = 1) {
    features_ = features;
    kernel_ = &weight("kernel", {features, gates * units}, options.kernel_initializer,
                      options.kernel_regularizer, true, options.kernel_constraint);
    recurrent_kernel_ =
        &weight("recurrent_kernel", {units, gates * units}, options.recurrent_initializer,
                options.recurrent_regularizer, true, options.recurrent_constraint);
    if (!bias.empty()) {
      bias_ = &weight("bias", bias, options.bias_initializer, options.bias_regularizer, true,
                      options.bias_constraint);
    }
  }

  Index features_ = 0;
  Parameter *kernel_ = nullptr, *recurrent_kernel_ = nullptr, *bias_ = nullptr;
};

class SimpleRNNCellImpl : public GatedCell {
 public:
  SimpleRNNCellImpl() = default;
  SimpleRNNCellImpl(Index units, const SimpleRNNOptions& options);
  std::string_view class_name() const override { return "SimpleRNNCell"; }
  Cell twin() const override { return std::make_shared<SimpleRNNCellImpl>(units_, options_); }
  void describe(Describer& d) override;
  std::vector<Index> state_sizes() const override { return {units_}; }
  void build_cell(Index features) override;
  Step step(Call& call, const Var& x, const Vars& states) override;
  Step combine(const Var& a, const Var& u, const Vars& states) const override;
  double dropout() const override { return options_.dropout; }
  double recurrent_dropout() const override { return options_.recurrent_dropout; }
  Index seed() const override { return options_.seed; }
  kernels::RecurrentShape kernel_shape() const override {
    return {.cell = kernels::CellKind::simple_rnn,
            .features = features_,
            .units = units_,
            .activation = options_.activation};
  }

 private:
  Index units_ = 1;
  SimpleRNNOptions options_;
};

class GRUCellImpl : public GatedCell {
 public:
  GRUCellImpl() = default;
  GRUCellImpl(Index units, const GRUOptions& options);
  std::string_view class_name() const override { return "GRUCell"; }
  Cell twin() const override { return std::make_shared<GRUCellImpl>(units_, options_); }
  void describe(Describer& d) override;
  std::vector<Index> state_sizes() const override { return {units_}; }
  void build_cell(Index features) override;
  Step step(Call& call, const Var& x, const Vars& states) override;
  Step combine(const Var& a, const Var& u, const Vars& states) const override;
  bool separable() const noexcept override { return options_.reset_after; }
  double dropout() const override { return options_.dropout; }
  double recurrent_dropout() const override { return options_.recurrent_dropout; }
  Index seed() const override { return options_.seed; }
  kernels::RecurrentShape kernel_shape() const override {
    return {
        .cell = options_.reset_after ? kernels::CellKind::gru_reset_after : kernels::CellKind::gru,
        .features = features_,
        .units = units_,
        .activation = options_.activation,
        .recurrent_activation = options_.recurrent_activation};
  }

 private:
  Index units_ = 1;
  GRUOptions options_;
};

class LSTMCellImpl : public GatedCell {
 public:
  LSTMCellImpl() = default;
  LSTMCellImpl(Index units, const LSTMOptions& options);
  std::string_view class_name() const override { return "LSTMCell"; }
  Cell twin() const override { return std::make_shared<LSTMCellImpl>(units_, options_); }
  void describe(Describer& d) override;
  std::vector<Index> state_sizes() const override { return {units_, units_}; }
  void build_cell(Index features) override;
  Step step(Call& call, const Var& x, const Vars& states) override;
  Step combine(const Var& a, const Var& u, const Vars& states) const override;
  double dropout() const override { return options_.dropout; }
  double recurrent_dropout() const override { return options_.recurrent_dropout; }
  Index seed() const override { return options_.seed; }
  kernels::RecurrentShape kernel_shape() const override {
    return {.cell = kernels::CellKind::lstm,
            .features = features_,
            .units = units_,
            .activation = options_.activation,
            .recurrent_activation = options_.recurrent_activation};
  }

 private:
  Index units_ = 1;
  LSTMOptions options_;
};

class StackedCellsImpl : public CellImpl {
 public:
  StackedCellsImpl() = default;
  explicit StackedCellsImpl(std::vector<Cell> cells);
  std::string_view class_name() const override { return "StackedRNNCells"; }
  Cell twin() const override;
  void describe(Describer& d) override;
  std::vector<Index> state_sizes() const override;
  Index output_size() const override { return cells_.back()->output_size(); }
  const std::vector<Cell>& cells() const noexcept { return cells_; }
  void build_cell(Index features) override;
  Step step(Call& call, const Var& x, const Vars& states) override;

 private:
  std::vector<Cell> cells_;
  std::vector<std::size_t> state_counts_;
};

}  // namespace unroll
