// The reservoir of an echo state network.
#include <algorithm>
#include <cmath>

#include "src/kernels/gemm.h"
#include "src/kernels/vector.h"
#include "src/recurrent/newer_cells.h"
#include "unroll/error.h"

namespace unroll {

namespace {

void check(Index units, const ESNOptions& options) {
  if (units < 1) {
    throw Error(ErrorKind::value, "ESN: units is not positive",
                {.got = std::to_string(units), .want = "1 or more"});
  }
  const auto share = [](const char* name, double value) {
    if (value > 0 && value <= 1) return;
    throw Error(ErrorKind::value, std::string("ESN: ") + name + " is not a share",
                {.got = std::to_string(value), .want = "above 0, 1 at most"});
  };
  share("connectivity", options.connectivity);
  share("leaky", options.leaky);
  if (!(options.spectral_radius >= 0)) {
    throw Error(ErrorKind::value, "ESN: spectral_radius is negative",
                {.got = std::to_string(options.spectral_radius), .want = "0 or more"});
  }
}

/// From uniform numbers in [-1, 1) to a sparse matrix of the same distribution and of a given
/// spectral radius. Which ones stay follows from the numbers: the small ones, then widened.
void make_reservoir(Tensor& values, double connectivity, double wanted) {
  const Index n = values.shape()[0];
  for (double& v : values.values<double>()) v = std::abs(v) < connectivity ? v / connectivity : 0;
  const double radius = spectral_radius(n, values.values<double>().data());
  // Nothing goes round in a reservoir without cycles: there is no radius to be changed.
  const double scale = radius > 0 ? wanted / radius : 1;
  for (double& v : values.values<double>()) v *= scale;
}

}  // namespace

double spectral_radius(Index n, const double* matrix) {
  // Gelfand's formula by repeated squaring: |A^m|^(1/m) for m = 2^20, at which a factor of n in the
  // norm changes nothing in the first 5 digits. Each square is scaled to norm 1.
  constexpr int squarings = 20;
  const auto count = static_cast<std::size_t>(n * n);
  std::vector<double> power(matrix, matrix + count), next(count);
  std::vector<double> packed(static_cast<std::size_t>(kernels::packed_size<double>(n, n)) + 8);
  auto* room = packed.data() + (8 - reinterpret_cast<std::uintptr_t>(packed.data()) / 8 % 8) % 8;
  double log_scale = 0, exponent = 1;
  for (int i = 0;; ++i) {
    const Index all = n * n;
    const double norm = std::sqrt(kernels::dot(all, power.data(), power.data()));
    if (norm == 0) return 0;
    log_scale += exponent * std::log(norm);
    if (i == squarings) return std::exp(log_scale);
    kernels::scale_shift(all, 1 / norm, 0.0, power.data(), power.data());
    kernels::pack(n, n, power.data(), n, false, room);
    kernels::gemm(n, n, n, power.data(), n, room, next.data(), n);
    power.swap(next);
    exponent /= 2;
  }
}

ESNCellImpl::ESNCellImpl(Index units, const ESNOptions& options)
    : units_(units), options_(options) {
  check(units, options);
}

void ESNCellImpl::describe(Describer& d) {
  d.field("units", units_);
  d.field("connectivity", options_.connectivity);
  d.field("leaky", options_.leaky);
  d.field("spectral_radius", options_.spectral_radius);
  d.field("activation", options_.activation);
  d.field("use_bias", options_.use_bias);
  d.field("kernel_initializer", options_.kernel_initializer);
  d.field("bias_initializer", options_.bias_initializer);
  check(units_, options_);
}

void ESNCellImpl::build_cell(Index features) {
  kernel_ = &weight("kernel", {features, units_}, options_.kernel_initializer, {}, false);
  recurrent_kernel_ =
      &weight("recurrent_kernel", {units_, units_}, random_uniform(-1, 1), {}, false);
  recurrent_kernel_->adjust = [o = options_](Tensor& values) {
    make_reservoir(values, o.connectivity, o.spectral_radius);
  };
  if (options_.use_bias) bias_ = &weight("bias", {units_}, options_.bias_initializer, {}, false);
}

Step ESNCellImpl::step(Call& call, const Var& x, const Vars& states) {
  Var z = matmul(x, call.use(*kernel_)) + matmul(states[0], call.use(*recurrent_kernel_));
  if (bias_ != nullptr) z = z + call.use(*bias_);
  Var next = activate(z, options_.activation);
  if (options_.leaky < 1) next = (1 - options_.leaky) * states[0] + options_.leaky * next;
  return {next, {next}};
}

}  // namespace unroll
