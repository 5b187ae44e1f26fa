// minGRU, minLSTM, LRU, QRNN, SRU, IndRNN; and the reservoir of an echo state network.
#pragma once

#include "src/recurrent/scanned.h"
#include "unroll/newer_cells.h"

namespace unroll {

/// A cell with one kernel and one bias, of `gates` times its units.
template <class Options>
class ProductCell : public ScannedCell {
 public:
  void describe(Describer& d) override = 0;
  std::vector<Index> state_sizes() const override { return {units_}; }

 protected:
  ProductCell() = default;
  ProductCell(Index units, const Options& options) : units_(units), options_(options) {}

  /// The inputs, some of them dropped while training. x (..., rows, features).
  Var dropped(Call& call, const Var& x) const;
  void declare_kernel(Index features, Index gates) {
    kernel_ = &weight("kernel", {features, gates * units_}, options_.kernel_initializer,
                      options_.kernel_regularizer, true, options_.kernel_constraint);
  }
  void declare_bias(Index size, const Initializer& initializer) {
    bias_ = &weight("bias", {size}, initializer, options_.bias_regularizer, true,
                    options_.bias_constraint);
  }
  /// x W + b of one step.
  Var product(Call& call, const Var& x) const {
    const Var z = matmul(dropped(call, x), call.use(*kernel_));
    return bias_ == nullptr ? z : z + call.use(*bias_);
  }
  /// Part i of a row of gates.
  Var part(const Var& p, Index i) const { return p[{all, range(i * units_, (i + 1) * units_)}]; }
  Var optional(Call& call, const Parameter* weight) const {
    return weight == nullptr ? Var() : call.use(*weight);
  }

  Index units_ = 1;
  Options options_;
  Parameter *kernel_ = nullptr, *bias_ = nullptr;
};

/// minGRU and minLSTM: what differs is how a step weighs old and new.
class MinimalCell : public ProductCell<MinGRUOptions> {
 public:
  void describe(Describer& d) override;
  void build_cell(Index features) override;
  bool can_scan() const override { return kernels::can_scan(shape()); }
  Scanned scan(Call& call, const Var& x, const Mask& mask, const Vars& initial,
               bool sequences) override;
  ScanWeights stream_weights() const override;

 protected:
  MinimalCell(kernels::ScanKind kind, Index units, const MinGRUOptions& options)
      : ProductCell(units, options), kind_(kind) {}
  Var candidate(const Var& p, Index i) const { return activate(part(p, i), options_.activation); }

 private:
  kernels::ScanShape shape() const {
    return {.kind = kind_, .units = units_, .activation = options_.activation};
  }

  kernels::ScanKind kind_;
};

class MinGRUCellImpl final : public MinimalCell {
 public:
  explicit MinGRUCellImpl(Index units = 1, const MinGRUOptions& options = {});
  std::string_view class_name() const override { return "MinGRUCell"; }
  Cell twin() const override { return std::make_shared<MinGRUCellImpl>(units_, options_); }
  Step step(Call& call, const Var& x, const Vars& states) override;
};

class MinLSTMCellImpl final : public MinimalCell {
 public:
  explicit MinLSTMCellImpl(Index units = 1, const MinLSTMOptions& options = {});
  std::string_view class_name() const override { return "MinLSTMCell"; }
  Cell twin() const override { return std::make_shared<MinLSTMCellImpl>(units_, options_); }
  Step step(Call& call, const Var& x, const Vars& states) override;
};

class QRNNCellImpl final : public ProductCell<QRNNOptions> {
 public:
  explicit QRNNCellImpl(Index units = 1, const QRNNOptions& options = {});
  std::string_view class_name() const override { return "QRNNCell"; }
  Cell twin() const override { return std::make_shared<QRNNCellImpl>(units_, options_); }
  void describe(Describer& d) override;
  std::vector<Index> state_sizes() const override;
  void build_cell(Index features) override;
  Step step(Call& call, const Var& x, const Vars& states) override;
  bool can_scan() const override;
  Scanned scan(Call& call, const Var& x, const Mask& mask, const Vars& initial,
               bool sequences) override;
  ScanWeights stream_weights() const override;

 private:
  Index features_ = 0;
};

class SRUCellImpl final : public ProductCell<SRUOptions> {
 public:
  explicit SRUCellImpl(Index units = 1, const SRUOptions& options = {});
  std::string_view class_name() const override { return "SRUCell"; }
  Cell twin() const override { return std::make_shared<SRUCellImpl>(units_, options_); }
  void describe(Describer& d) override;
  void build_cell(Index features) override;
  Step step(Call& call, const Var& x, const Vars& states) override;
  Scanned scan(Call& call, const Var& x, const Mask& mask, const Vars& initial,
               bool sequences) override;
  ScanWeights stream_weights() const override;

 private:
  /// Whether the highway needs weights of its own.
  bool skips() const noexcept { return options_.highway && features_ != units_; }
  double skip_scale() const;

  Index features_ = 0;
  Parameter* recurrent_kernel_ = nullptr;
};

class IndRNNCellImpl final : public ProductCell<IndRNNOptions> {
 public:
  explicit IndRNNCellImpl(Index units = 1, const IndRNNOptions& options = {});
  std::string_view class_name() const override { return "IndRNNCell"; }
  Cell twin() const override { return std::make_shared<IndRNNCellImpl>(units_, options_); }
  void describe(Describer& d) override;
  void build_cell(Index features) override;
  Step step(Call& call, const Var& x, const Vars& states) override;
  bool can_scan() const override;
  Scanned scan(Call& call, const Var& x, const Mask& mask, const Vars& initial,
               bool sequences) override;
  ScanWeights stream_weights() const override;

 private:
  Parameter* recurrent_kernel_ = nullptr;
};

class LRUCellImpl final : public ScannedCell {
 public:
  explicit LRUCellImpl(Index units = 1, const LRUOptions& options = {});
  std::string_view class_name() const override { return "LRUCell"; }
  Cell twin() const override { return std::make_shared<LRUCellImpl>(units_, options_); }
  void describe(Describer& d) override;
  std::vector<Index> state_sizes() const override { return {2 * state_size()}; }
  Index output_size() const override { return units_; }
  void build_cell(Index features) override;
  Step step(Call& call, const Var& x, const Vars& states) override;
  Scanned scan(Call& call, const Var& x, const Mask& mask, const Vars& initial,
               bool sequences) override;
  ScanWeights stream_weights() const override;

 private:
  Index state_size() const noexcept {
    return options_.state_size > 0 ? options_.state_size : units_;
  }
  Var lambda(Call& call) const;         // (2, N)
  Var scaled_kernel(Call& call) const;  // B times exp(gamma)
  Var output(Call& call, const Var& state, const Var& x) const;

  Index units_ = 1;
  LRUOptions options_;
  Parameter *kernel_ = nullptr, *nu_ = nullptr, *theta_ = nullptr, *gamma_ = nullptr;
  Parameter *output_kernel_ = nullptr, *skip_kernel_ = nullptr;
};

class ESNCellImpl final : public CellImpl {
 public:
  explicit ESNCellImpl(Index units = 1, const ESNOptions& options = {});
  std::string_view class_name() const override { return "ESNCell"; }
  Cell twin() const override { return std::make_shared<ESNCellImpl>(units_, options_); }
  void describe(Describer& d) override;
  std::vector<Index> state_sizes() const override { return {units_}; }
  void build_cell(Index features) override;
  Step step(Call& call, const Var& x, const Vars& states) override;

 private:
  Index units_ = 1;
  ESNOptions options_;
  Parameter *kernel_ = nullptr, *recurrent_kernel_ = nullptr, *bias_ = nullptr;
};

/// Null for other classes.
Cell make_newer_cell(std::string_view class_name);
std::shared_ptr<LayerImpl> make_newer_layer(std::string_view class_name);

/// The largest |eigenvalue| of a (n, n) matrix.
double spectral_radius(Index n, const double* matrix);

}  // namespace unroll
