// The linear recurrent unit.
#include <algorithm>
#include <cmath>

#include "src/autograd/dispatch.h"
#include "src/layers/streamed.h"
#include "src/recurrent/fused.h"
#include "src/recurrent/newer_cells.h"
#include "unroll/error.h"

namespace unroll {

namespace {

/// exp(-exp(nu) + i exp(theta)): (2, N), real parts before imaginary ones.
Var eigenvalues(const Var& nu, const Var& theta) {
  Tape& tape = nu.tape();
  const Index N = nu.elements();
  const Var lambda = tape.result({2, N}, {nu, theta});
  with_float(nu.dtype(), [&]<class T>() {
    T* value = lambda.data<T>();
    for (Index n = 0; n < N; ++n) {
      const T radius = std::exp(-std::exp(nu.data<T>()[n])), angle = std::exp(theta.data<T>()[n]);
      value[n] = radius * std::cos(angle);
      value[N + n] = radius * std::sin(angle);
    }
    tape.record(lambda, [=] {
      const T *v = lambda.data<T>(), *d = lambda.gradient<T>();
      T* dnu = nu.needs_gradient() ? nu.gradient<T>() : nullptr;
      T* dtheta = theta.needs_gradient() ? theta.gradient<T>() : nullptr;
      for (Index n = 0; n < N; ++n) {
        const T re = v[n], im = v[N + n], dre = d[n], dim = d[N + n];
        if (dnu != nullptr) dnu[n] -= std::exp(nu.data<T>()[n]) * (dre * re + dim * im);
        if (dtheta != nullptr) dtheta[n] += std::exp(theta.data<T>()[n]) * (dim * re - dre * im);
      }
    });
  });
  return lambda;
}

/// From uniform numbers in [0, 1) to logarithms of -log |lambda|, |lambda| uniform in a ring.
void into_ring(Tensor& values, double r_min, double r_max) {
  for (double& v : values.values<double>()) {
    const double square = r_min * r_min + v * (r_max * r_max - r_min * r_min);
    v = std::log(-0.5 * std::log(std::clamp(square, 1e-12, 1 - 1e-12)));
  }
}

/// From uniform numbers to logarithms of angles.
void into_angles(Tensor& values, double max_phase) {
  for (double& v : values.values<double>()) v = std::log(std::max(max_phase * v, 1e-6));
}

/// log sqrt(1 - |lambda|^2): the state of a long white input then has variance 1.
void normalize(Tensor& gamma, const Tensor& nu) {
  const double* logs = nu.values<double>().data();
  for (double& v : gamma.values<double>()) {
    v = 0.5 * std::log(-std::expm1(-2 * std::exp(*logs++)));
  }
}

void check(Index units, const LRUOptions& options) {
  if (units < 1) {
    throw Error(ErrorKind::value, "LRU: units is not positive",
                {.got = std::to_string(units), .want = "1 or more"});
  }
  if (options.state_size < 0) {
    throw Error(ErrorKind::value, "LRU: state_size is negative",
                {.got = std::to_string(options.state_size), .want = "1 or more, or 0: the units"});
  }
  if (!(0 <= options.r_min && options.r_min < options.r_max && options.r_max <= 1)) {
    throw Error(ErrorKind::value, "LRU: no ring of eigenvalues lies between these radii",
                {.got = "r_min " + std::to_string(options.r_min) + ", r_max " +
                        std::to_string(options.r_max),
                 .want = "0 <= r_min < r_max <= 1"});
  }
  if (!(options.max_phase > 0)) {
    throw Error(ErrorKind::value, "LRU: max_phase is not positive",
                {.got = std::to_string(options.max_phase), .want = "an angle in radians"});
  }
}

}  // namespace

LRUCellImpl::LRUCellImpl(Index units, const LRUOptions& options)
    : units_(units), options_(options) {
  check(units, options);
}

void LRUCellImpl::describe(Describer& d) {
  d.field("units", units_);
  d.field("state_size", options_.state_size);
  d.field("r_min", options_.r_min);
  d.field("r_max", options_.r_max);
  d.field("max_phase", options_.max_phase);
  d.field("dropout", options_.dropout);
  d.field("seed", options_.seed);
  check(units_, options_);
}

void LRUCellImpl::build_cell(Index features) {
  const Index N = state_size();
  const auto normal = [](double scale) {
    return variance_scaling(scale, FanMode::fan_in, ScalingDistribution::untruncated_normal);
  };
  // Real and imaginary parts share the variance of a complex number.
  kernel_ = &weight("kernel", {features, 2 * N}, normal(0.5));
  nu_ = &weight("nu", {N}, random_uniform(0, 1));
  theta_ = &weight("theta", {N}, random_uniform(0, 1));
  gamma_ = &weight("gamma", {N}, "zeros");
  output_kernel_ = &weight("output_kernel", {2 * N, units_}, normal(2));
  skip_kernel_ = &weight("skip_kernel", {features, units_}, normal(1));
  nu_->adjust = [o = options_](Tensor& values) { into_ring(values, o.r_min, o.r_max); };
  theta_->adjust = [o = options_](Tensor& values) { into_angles(values, o.max_phase); };
  // nu stands before gamma: it has its numbers by then.
  gamma_->adjust = [nu = nu_](Tensor& values) {
    normalize(values, nu->value().to(DType::float64));
  };
}

Var LRUCellImpl::lambda(Call& call) const { return eigenvalues(call.use(*nu_), call.use(*theta_)); }

Var LRUCellImpl::scaled_kernel(Call& call) const {
  const Var gamma = exp(call.use(*gamma_));
  return call.use(*kernel_) * concat({gamma, gamma}, 0);
}

Var LRUCellImpl::output(Call& call, const Var& state, const Var& x) const {
  return matmul(state, call.use(*output_kernel_)) + matmul(x, call.use(*skip_kernel_));
}

Step LRUCellImpl::step(Call& call, const Var& x, const Vars& states) {
  const bool drops = call.training() && options_.dropout > 0;
  const Var in = drops ? x * cell_dropout(call, *this, x, x.shape()[-1], options_.dropout,
                                          options_.seed, false)
                       : x;
  const Index N = state_size();
  const auto re = [N](const Var& v) { return v[{all, range(0, N)}]; };
  const auto im = [N](const Var& v) { return v[{all, range(N, 2 * N)}]; };
  const Var p = matmul(in, scaled_kernel(call)), roots = lambda(call);
  const Var a = roots[{0}], b = roots[{1}], c = states[0];
  const Var next = concat({a * re(c) - b * im(c) + re(p), a * im(c) + b * re(c) + im(p)}, 1);
  return {output(call, next, in), {next}};
}

Scanned LRUCellImpl::scan(Call& call, const Var& x, const Mask& mask, const Vars& initial,
                          bool sequences) {
  const bool drops = call.training() && options_.dropout > 0;
  const Var in = drops ? x * cell_dropout(call, *this, x, x.shape()[-1], options_.dropout,
                                          options_.seed, false)
                       : x;
  const ScanResult r = scan_sequence({.kind = kernels::ScanKind::complex, .units = state_size()},
                                     {.x = in,
                                      .kernel = scaled_kernel(call),
                                      .weights = lambda(call),
                                      .initial = initial.empty() ? Var() : initial[0],
                                      .mask = mask},
                                     sequences);
  const Index last = x.shape()[0] - 1;
  return {output(call, r.y, sequences ? in : in[{last}]), {r.state}};
}

ScanWeights LRUCellImpl::stream_weights() const {
  Tape tape(DType::float32, false);
  const Var lambda = eigenvalues(tape.constant(nu_->value()), tape.constant(theta_->value()));
  const Var gamma = exp(tape.constant(gamma_->value()));
  const Tensor scaled = (tape.constant(kernel_->value()) * concat({gamma, gamma}, 0)).tensor();
  const Tensor roots = lambda.tensor();
  const auto list = [](const Tensor& t) {
    return std::vector<float>(t.floats(), t.floats() + t.elements());
  };
  return {.shape = {.kind = kernels::ScanKind::complex, .units = state_size()},
          .features = kernel_->shape()[0],
          .kernel = list(scaled),
          .weights = list(roots),
          .output = kept_numbers(output_kernel_),
          .skip_kernel = kept_numbers(skip_kernel_),
          .outputs = units_};
}

}  // namespace unroll
