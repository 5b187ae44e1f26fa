// The element-wise recurrences, held to plain loops on every instruction set.
#include "src/kernels/scan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "src/base/random.h"
#include "tests/kernels/targets.h"

namespace unroll::kernels {
namespace {

using Doubles = std::vector<double>;

Doubles noise(Index count, std::uint64_t stream) {
  const base::Random random(11, stream);
  Doubles values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 1.6 * random.uniform(i) - 0.8;
  return values;
}

double sig(double v) { return 1 / (1 + std::exp(-v)); }

double act(Activation activation, double v) {
  if (activation == Activation("tanh")) return std::tanh(v);
  return activation == Activation("relu") ? std::max(v, 0.0) : v;
}

/// What a recurrence is given, and what it gives.
struct Problem {
  ScanShape shape;
  Doubles p, weights, skip, before;
  std::vector<std::uint8_t> mask;
  double scale = 1.3;

  Problem(const ScanShape& of, bool masked, bool skips) : shape(of) {
    const Index rows = of.time * of.rows;
    p = noise(rows * scan_gates(of) * of.units, 1);
    if (of.kind == ScanKind::complex || of.kind == ScanKind::sru) weights = noise(2 * of.units, 2);
    if (of.kind == ScanKind::ind_rnn) weights = noise(of.units, 2);
    if (skips) skip = noise(rows * of.units, 3);
    before = noise(of.rows * scan_state(of), 4);
    for (Index i = 0; masked && i < rows; ++i) mask.push_back(i % 3 != 1);
  }
};

struct Found {
  Doubles states, y;
};

/// The plain loops: the specification.
Found plain(const Problem& o) {
  const ScanShape& s = o.shape;
  const Index U = s.units, S = scan_state(s), P = scan_gates(s) * U;
  Found f{Doubles(static_cast<std::size_t>(s.time * s.rows * S)),
          Doubles(static_cast<std::size_t>(s.time * s.rows * U))};
  const auto at = [](const auto& v, Index i) { return v[static_cast<std::size_t>(i)]; };
  for (Index row = 0; row < s.time * s.rows; ++row) {
    for (Index u = 0; u < U; ++u) {
      const auto c = [&](Index i) {
        return row < s.rows ? at(o.before, row * S + i) : at(f.states, (row - s.rows) * S + i);
      };
      const auto p = [&](Index part) { return at(o.p, row * P + part * U + u); };
      const auto put = [&](Index i, double v) {
        f.states[static_cast<std::size_t>(row * S + i)] = v;
      };
      const auto give = [&](double v) { f.y[static_cast<std::size_t>(row * U + u)] = v; };
      if (!o.mask.empty() && at(o.mask, row) == 0) {
        for (Index i = u; i < S; i += U) put(i, c(i));
        continue;
      }
      switch (s.kind) {
        case ScanKind::complex: {
          const double a = at(o.weights, u), b = at(o.weights, U + u);
          put(u, a * c(u) - b * c(U + u) + p(0));
          put(U + u, a * c(U + u) + b * c(u) + p(1));
          break;
        }
        case ScanKind::min_gru:
          put(u, (1 - sig(p(0))) * c(u) + sig(p(0)) * act(s.activation, p(1)));
          break;
        case ScanKind::min_lstm: {
          const double forget = sig(p(0)), input = sig(p(1));
          put(u, (forget * c(u) + input * act(s.activation, p(2))) / (forget + input));
          break;
        }
        case ScanKind::qrnn: {
          const double next = sig(p(1)) * c(u) + (1 - sig(p(1))) * act(s.activation, p(0));
          put(u, next);
          give(sig(p(2)) * next);
          break;
        }
        case ScanKind::sru: {
          const double forget = sig(p(1) + at(o.weights, u) * c(u));
          const double reset = sig(p(2) + at(o.weights, U + u) * c(u));
          const double next = forget * c(u) + (1 - forget) * p(0);
          double brought = 0;
          if (s.skips) brought = o.scale * p(3);
          if (!o.skip.empty()) brought = o.scale * at(o.skip, row * U + u);
          put(u, next);
          give(reset * next + (1 - reset) * brought);
          break;
        }
        case ScanKind::ind_rnn:
          put(u, act(s.activation, p(0) + at(o.weights, u) * c(u)));
          break;
      }
    }
  }
  return f;
}

template <class T>
std::vector<T> as(const Doubles& v) {
  return {v.begin(), v.end()};
}

/// A kernel's run over the problem, in chunks of some steps.
template <class T>
struct Scanned {
  explicit Scanned(const Problem& o)
      : o(o),
        gates(as<T>(o.p)),
        weights(as<T>(o.weights)),
        skip(as<T>(o.skip)),
        before(as<T>(o.before)),
        states(static_cast<std::size_t>(o.shape.time * o.shape.rows * scan_state(o.shape))),
        y(static_cast<std::size_t>(o.shape.time * o.shape.rows * o.shape.units)) {}

  const T* pointer(const std::vector<T>& v, Index at = 0) const {
    return v.empty() ? nullptr : v.data() + at;
  }

  void forward(Index chunk) {
    const Index BS = o.shape.rows * scan_state(o.shape);
    for (Index t = 0; t < o.shape.time; t += chunk) {
      ScanShape part = o.shape;
      part.time = std::min(chunk, o.shape.time - t);
      const Index row = t * o.shape.rows;
      scan_forward(
          part,
          ScanForward<T>{.gates = gates.data() + row * scan_gates(part) * part.units,
                         .weights = pointer(weights),
                         .skip = pointer(skip, row * part.units),
                         .skip_scale = static_cast<T>(o.scale),
                         .mask = o.mask.empty() ? nullptr : o.mask.data() + row,
                         .before = t == 0 ? before.data() : states.data() + (t - 1) * BS,
                         .states = states.data() + t * BS,
                         .y = scan_has_output(part.kind) ? y.data() + row * part.units : nullptr});
    }
  }

  /// Gradients of the sum of outputs times `dy` and of the last state times `dlast`.
  void backward(const Doubles& dy_given, const Doubles& dlast) {
    const std::vector<T> dy = as<T>(dy_given);
    dstate = as<T>(dlast);
    dgates.assign(gates.size(), T{7});
    dweights.assign(weights.size(), T{0});
    dskip.assign(skip.size(), T{0});
    scan_backward(o.shape, ScanBackward<T>{.gates = gates.data(),
                                           .weights = pointer(weights),
                                           .skip = pointer(skip),
                                           .skip_scale = static_cast<T>(o.scale),
                                           .mask = o.mask.empty() ? nullptr : o.mask.data(),
                                           .before = before.data(),
                                           .states = states.data(),
                                           .dy = dy.data(),
                                           .dstate = dstate.data(),
                                           .dgates = dgates.data(),
                                           .dweights = dweights.data(),
                                           .dskip = dskip.empty() ? nullptr : dskip.data()});
  }

  const Problem& o;
  std::vector<T> gates, weights, skip, before, states, y;
  std::vector<T> dstate, dgates, dweights, dskip;
};

template <class T>
double apart(const std::vector<T>& got, const Doubles& want) {
  double worst = got.size() == want.size() ? 0 : INFINITY;
  for (std::size_t i = 0; i < want.size() && i < got.size(); ++i) {
    const double d = std::abs(static_cast<double>(got[i]) - want[i]);
    worst = std::isnan(d) ? INFINITY : std::max(worst, d);
  }
  return worst;
}

std::vector<Problem> problems() {
  std::vector<Problem> all;
  for (const Index units : {1, 5, 8, 19}) {
    for (const bool masked : {false, true}) {
      const auto add = [&](ScanKind kind, Activation activation, bool part = false,
                           bool skip = false) {
        all.emplace_back(ScanShape{kind, 7, 3, units, activation, part}, masked, skip);
      };
      add(ScanKind::complex, "linear");
      for (const Activation a : {Activation("linear"), Activation("tanh")}) {
        add(ScanKind::min_gru, a);
        add(ScanKind::min_lstm, a);
        add(ScanKind::qrnn, a);
        add(ScanKind::ind_rnn, a);
      }
      add(ScanKind::ind_rnn, "relu");
      add(ScanKind::sru, "linear");
      add(ScanKind::sru, "linear", true);
      add(ScanKind::sru, "linear", false, true);
    }
  }
  return all;
}

std::string name_of(const Problem& o) {
  return "kind " + std::to_string(static_cast<int>(o.shape.kind)) + ", U " +
         std::to_string(o.shape.units) + (o.mask.empty() ? "" : ", masked");
}

TEST(Scan, ForwardIsThePlainLoops) {
  on_every_target([](const std::string& target) {
    for (const Problem& o : problems()) {
      const Found want = plain(o);
      Scanned<double> exact(o);
      Scanned<float> rough(o);
      exact.forward(o.shape.time);
      rough.forward(o.shape.time);
      EXPECT_LT(apart(exact.states, want.states), 1e-13) << target << ", " << name_of(o);
      EXPECT_LT(apart(rough.states, want.states), 5e-6) << target << ", " << name_of(o);
      if (!scan_has_output(o.shape.kind)) continue;
      EXPECT_LT(apart(exact.y, want.y), 1e-13) << target << ", " << name_of(o);
      EXPECT_LT(apart(rough.y, want.y), 5e-6) << target << ", " << name_of(o);
    }
  });
}

TEST(Scan, ChunksDoNotChangeABit) {
  on_every_target([](const std::string& target) {
    for (const Problem& o : problems()) {
      Scanned<float> whole(o), chunks(o);
      whole.forward(o.shape.time);
      chunks.forward(2);
      EXPECT_EQ(whole.states, chunks.states) << target << ", " << name_of(o);
      EXPECT_EQ(whole.y, chunks.y) << target << ", " << name_of(o);
    }
  });
}

/// What backward differentiates, by the plain loops.
double objective(const Problem& o, const Doubles& dy, const Doubles& dlast) {
  const Found f = plain(o);
  const Doubles& outputs = scan_has_output(o.shape.kind) ? f.y : f.states;
  double sum = 0;
  for (std::size_t i = 0; i < outputs.size(); ++i) sum += outputs[i] * dy[i];
  const std::size_t last = f.states.size() - dlast.size();
  for (std::size_t i = 0; i < dlast.size(); ++i) sum += f.states[last + i] * dlast[i];
  return sum;
}

Doubles differences(Problem o, Doubles Problem::*which, const Doubles& dy, const Doubles& dlast) {
  constexpr double step = 1e-5;
  Doubles result;
  for (double& v : o.*which) {
    const double kept = v;
    v = kept + step;
    const double above = objective(o, dy, dlast);
    v = kept - step;
    result.push_back((above - objective(o, dy, dlast)) / (2 * step));
    v = kept;
  }
  return result;
}

TEST(Scan, BackwardIsTheDerivativeOfThePlainLoops) {
  on_every_target([](const std::string& target) {
    for (const Problem& o : problems()) {
      if (o.shape.units == 8) continue;
      const Index rows = o.shape.time * o.shape.rows;
      const Index outputs = scan_has_output(o.shape.kind) ? o.shape.units : scan_state(o.shape);
      Doubles dy = noise(rows * outputs, 5);
      // The output of a masked step is not meant; where it is the state, nothing may come from it.
      for (Index i = 0; i < rows * outputs; ++i) {
        const bool kept = o.mask.empty() || o.mask[static_cast<std::size_t>(i / outputs)] != 0;
        if (!kept) dy[static_cast<std::size_t>(i)] = 0;
      }
      const Doubles dlast = noise(o.shape.rows * scan_state(o.shape), 6);
      Scanned<double> exact(o);
      Scanned<float> rough(o);
      exact.forward(o.shape.time);
      exact.backward(dy, dlast);
      rough.forward(o.shape.time);
      rough.backward(dy, dlast);
      const auto check = [&](const auto& got, const auto& got_rough, Doubles Problem::*of) {
        const Doubles want = differences(o, of, dy, dlast);
        EXPECT_LT(apart(got, want), 1e-8) << target << ", " << name_of(o);
        EXPECT_LT(apart(got_rough, want), 5e-5) << target << ", " << name_of(o);
      };
      check(exact.dgates, rough.dgates, &Problem::p);
      check(exact.dweights, rough.dweights, &Problem::weights);
      check(exact.dskip, rough.dskip, &Problem::skip);
      check(exact.dstate, rough.dstate, &Problem::before);
    }
  });
}

TEST(LinearScan, IsThePlainLoopBothWays) {
  on_every_target([](const std::string& target) {
    for (const Index n : {1, 7, 16, 33}) {
      constexpr Index time = 9;
      const Doubles a = noise(time * n, 1), b = noise(time * n, 2), h0 = noise(n, 3);
      const Doubles dh = noise(time * n, 4);
      Doubles h(a.size()), want(a.size()), da(a.size()), db(a.size()), carry(h0.size());
      Doubles want_da(a.size()), want_db(a.size()), back(h0.size());
      linear_scan<double>(time, n, a.data(), b.data(), h0.data(), h.data());
      linear_scan_backward<double>(time, n, a.data(), h0.data(), h.data(), dh.data(), carry.data(),
                                   da.data(), db.data());
      for (std::size_t i = 0; i < a.size(); ++i) {
        const auto N = static_cast<std::size_t>(n);
        want[i] = a[i] * (i < N ? h0[i] : want[i - N]) + b[i];
      }
      for (std::size_t i = a.size(); i-- > 0;) {
        const auto N = static_cast<std::size_t>(n);
        const double d = dh[i] + back[i % N];
        want_da[i] = d * (i < N ? h0[i] : want[i - N]);
        want_db[i] = d;
        back[i % N] = d * a[i];
      }
      EXPECT_LT(apart(h, want), 1e-14) << target << ", n " << n;
      EXPECT_LT(apart(da, want_da), 1e-14) << target << ", n " << n;
      EXPECT_LT(apart(db, want_db), 1e-14) << target << ", n " << n;
      EXPECT_LT(apart(carry, back), 1e-14) << target << ", n " << n;
    }
  });
}

}  // namespace
}  // namespace unroll::kernels
