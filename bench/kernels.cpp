// How near the kernels come to what the processor can do, on one thread.
//
//   build/bench/kernels [part of a name]
//
// Prints for each shape milliseconds (the best and the middle one of many runs), useful GFLOP/s and
// their part of the peak of multiply-add, which is measured in between. Useful: products without
// padding, activations not counted.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bench/kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "bench/multiply_adds-inl.h"

#if HWY_ONCE
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "src/base/random.h"
#include "src/kernels/gemm.h"
#include "src/kernels/recurrent.h"
#include "src/kernels/vector.h"
#include "unroll/arena.h"

namespace unroll::bench {
HWY_EXPORT(MultiplyAdds);

namespace {
using kernels::CellKind;

/// Seconds that this thread has run: on a shared machine that is steadier than the clock on the
/// wall, and for one thread that never waits it is the same.
double now() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// Runs f for about `seconds` and at least 5 times; the sorted times of a run.
template <class F>
std::vector<double> times(double seconds, F f) {
  f();
  double once = now();
  f();
  once = now() - once;
  const int calls = once < 2e-5 ? static_cast<int>(2e-5 / once) + 1 : 1;
  std::vector<double> all;
  for (const double end = now() + seconds; now() < end || all.size() < 5;) {
    const double begin = now();
    for (int i = 0; i < calls; ++i) f();
    all.push_back((now() - begin) / calls);
  }
  std::sort(all.begin(), all.end());
  return all;
}

/// The best of sorted times, but for a few that the clock made.
double best_of(const std::vector<double>& all) { return all[all.size() / 50]; }

/// Operations a second that multiply-adds reach; the best of all calls counts.
double peak() {
  static double best = 0;
  static float numbers[2 + 16] = {0.5f, 0.25f};
  double operations = 0;
  const auto all =
      times(0.02, [&] { operations = HWY_DYNAMIC_DISPATCH(MultiplyAdds)(20000, numbers); });
  best = std::max(best, operations / best_of(all));
  return best;
}

void print(const std::string& name, const std::vector<double>& all, double operations) {
  const double best = best_of(all), middle = all[all.size() / 2], top = peak();
  std::printf("%-44s %9.4f %9.4f  %6.1f GFLOP/s %4.0f %% (%.0f %%)\n", name.c_str(), best * 1e3,
              middle * 1e3, operations / best / 1e9, 100 * operations / best / top,
              100 * operations / middle / top);
}

float* random_numbers(base::Arena& arena, Index count, float scale) {
  float* v = arena.take<float>(count);
  const base::Random random(count > 0 ? static_cast<std::uint64_t>(count) : 1);
  for (Index i = 0; i < count; ++i) {
    v[i] = scale * static_cast<float>(random.uniform(static_cast<std::uint64_t>(i)) * 2 - 1);
  }
  return v;
}

struct Case {
  const char* name;
  kernels::RecurrentShape shape;  // of one lane
  Index lanes = 1;
  bool input_gradient = false;
};

struct Lane {
  kernels::RecurrentForward<float> forward;
  kernels::RecurrentBackward<float> backward;
};

Lane make_lane(base::Arena& arena, const Case& c, const float* packed, float* gradients) {
  const auto& s = c.shape;
  const Index G = kernels::gates(s.cell), BU = s.rows * s.units;
  Lane lane;
  lane.forward.x = lane.backward.x = random_numbers(arena, s.time * s.rows * s.features, 1);
  lane.forward.x_step = lane.backward.x_step = lane.backward.dx_step = s.rows * s.features;
  lane.forward.packed = lane.backward.packed = packed;
  lane.forward.last = arena.take<float>(BU);
  lane.forward.saved = arena.take<float>(kernels::recurrent_saved_size<float>(s));
  lane.backward.saved = lane.forward.saved;
  lane.backward.dlast = random_numbers(arena, BU, 1);
  lane.forward.scratch = arena.take<float>(kernels::recurrent_scratch_size<float>(s, true));
  lane.backward.scratch = lane.forward.scratch;
  if (c.input_gradient) lane.backward.dx = random_numbers(arena, s.time * s.rows * s.features, 0);
  lane.backward.dkernel = gradients;
  lane.backward.drecurrent_kernel = gradients + s.features * G * s.units;
  lane.backward.dbias = lane.backward.drecurrent_kernel + s.units * G * s.units;
  return lane;
}

void measure_training(const Case& c) {
  base::Arena arena;
  const auto& s = c.shape;
  const Index G = kernels::gates(s.cell), columns = G * s.units;
  const float scale = 1 / std::sqrt(static_cast<float>(s.units));
  float* packed = arena.take<float>(kernels::recurrent_packed_size<float>(s));
  const float* kernel = random_numbers(arena, s.features * columns, scale);
  const float* recurrent_kernel = random_numbers(arena, s.units * columns, scale);
  const float* bias = random_numbers(arena, 2 * columns, 0.1f);
  const auto pack = [&] {
    kernels::recurrent_pack(s, kernel, recurrent_kernel, bias, true, packed);
  };
  pack();
  float* gradients = random_numbers(arena, (s.features + s.units + 2) * columns, 0);
  std::vector<Lane> lanes;
  for (Index i = 0; i < c.lanes; ++i) lanes.push_back(make_lane(arena, c, packed, gradients));
  const auto forward = [&] {
    for (const Lane& lane : lanes) kernels::recurrent_forward(s, lane.forward);
  };
  const auto backward = [&] {
    for (const Lane& lane : lanes) kernels::recurrent_backward(s, lane.backward);
  };
  const auto both = [&] {
    for (const Lane& lane : lanes) {
      kernels::recurrent_forward(s, lane.forward);
      kernels::recurrent_backward(s, lane.backward);
    }
  };
  const double row = 2.0 * static_cast<double>(c.lanes * s.time * s.rows * columns);
  const double all = row * static_cast<double>(s.units + s.features);
  const double back = all + row * static_cast<double>(s.units) +
                      (c.input_gradient ? row * static_cast<double>(s.features) : 0);
  const std::string name = c.name;
  print(name + " forward", times(0.3, forward), all);
  print(name + " backward", times(0.3, backward), back);
  print(name + " both", times(0.3, both), all + back);
  print(name + " pack", times(0.05, pack), 0);
}

/// One step of one row, as a server takes it.
void measure_streaming(const Case& c) {
  base::Arena arena;
  const auto& s = c.shape;
  const Index columns = kernels::gates(s.cell) * s.units;
  float* packed = arena.take<float>(kernels::recurrent_packed_size<float>(s));
  const float scale = 1 / std::sqrt(static_cast<float>(s.units));
  kernels::recurrent_pack(s, random_numbers(arena, s.features * columns, scale),
                          random_numbers(arena, s.units * columns, scale),
                          random_numbers(arena, 2 * columns, 0.1f), false, packed);
  float* h = random_numbers(arena, s.units, 1);
  float* cell = random_numbers(arena, s.units, 1);
  kernels::RecurrentForward<float> call;
  call.x = random_numbers(arena, s.features, 1);
  call.packed = packed;
  call.h0 = call.h_last = h;
  if (s.cell == CellKind::lstm) call.c0 = call.c_last = cell;
  call.scratch = arena.take<float>(kernels::recurrent_scratch_size<float>(s, false));
  const double operations = 2.0 * static_cast<double>(columns * (s.units + s.features));
  print(std::string(c.name) + " one step", times(0.2, [&] { kernels::recurrent_forward(s, call); }),
        operations);
}

struct Product {
  Index M, N, K;
};

void measure_product(const Product& p) {
  base::Arena arena;
  const float* A = random_numbers(arena, p.M * p.K, 1);
  const float* B = random_numbers(arena, p.K * p.N, 1);
  float* C = random_numbers(arena, p.M * p.N, 1);
  float* D = random_numbers(arena, p.K * p.N, 0);
  float* packed = arena.take<float>(kernels::packed_size<float>(p.K, p.N));
  kernels::pack(p.K, p.N, B, p.N, false, packed);
  const std::string name =
      std::to_string(p.M) + " x " + std::to_string(p.N) + " x " + std::to_string(p.K);
  const double operations = 2.0 * static_cast<double>(p.M * p.N * p.K);
  print("product " + name,
        times(0.1, [&] { kernels::gemm(p.M, p.N, p.K, A, p.K, packed, C, p.N); }), operations);
  print("product " + name + ", A transposed",
        times(0.1, [&] { kernels::gemm_transposed_a(p.M, p.N, p.K, A, p.K, C, p.N, D, p.N); }),
        operations);
}

const Case training_cases[] = {
    {"SimpleRNN(50, relu) F 1 T 50, 4 lanes of 8", {CellKind::simple_rnn, 50, 8, 1, 50, "relu"}, 4},
    {"SimpleRNN(16, tanh) F 32 T 100 B 16", {CellKind::simple_rnn, 100, 16, 32, 16}, 1, true},
    {"GRU(64) F 32 T 100 B 16", {CellKind::gru_reset_after, 100, 16, 32, 64}},
    {"GRU(64, reset before) F 32 T 100 B 16", {CellKind::gru, 100, 16, 32, 64}},
    {"LSTM(64) F 32 T 200 B 16", {CellKind::lstm, 200, 16, 32, 64}},
    {"GRU(50) F 1 T 50 B 8", {CellKind::gru_reset_after, 50, 8, 1, 50}},
    {"GRU(256) F 256 T 100 B 16", {CellKind::gru_reset_after, 100, 16, 256, 256}, 1, true},
    {"LSTM(512) F 128 T 128 B 16", {CellKind::lstm, 128, 16, 128, 512}},
};
const Case streaming_cases[] = {
    {"SimpleRNN(50, relu) F 1", {CellKind::simple_rnn, 1, 1, 1, 50, "relu"}},
    {"GRU(64) F 64", {CellKind::gru_reset_after, 1, 1, 64, 64}},
    {"GRU(64, reset before) F 64", {CellKind::gru, 1, 1, 64, 64}},
    {"LSTM(64) F 64", {CellKind::lstm, 1, 1, 64, 64}},
    {"LSTM(512) F 512", {CellKind::lstm, 1, 1, 512, 512}},
};
const Product products[] = {{8, 56, 52},     {32, 50, 50},  {64, 256, 64},     {16, 2048, 512},
                            {64, 512, 2048}, {1600, 56, 2}, {1024, 1024, 1024}};

void run(const std::string& filter) {
  peak();
  std::printf("%s, peak of multiply-add %.1f GFLOP/s\n", kernels::simd_target().c_str(),
              peak() / 1e9);
  std::printf("%-44s %9s %9s  %s\n", "", "best ms", "middle ms", "useful, of peak: best (middle)");
  const auto wanted = [&](const std::string& name) {
    return name.find(filter) != std::string::npos;
  };
  for (const Case& c : training_cases) {
    if (wanted(c.name)) measure_training(c);
  }
  for (const Case& c : streaming_cases) {
    if (wanted(std::string(c.name) + " one step")) measure_streaming(c);
  }
  for (const Product& p : products) {
    if (wanted("product")) measure_product(p);
  }
}

}  // namespace
}  // namespace unroll::bench

int main(int count, char** arguments) { unroll::bench::run(count > 1 ? arguments[1] : ""); }
#endif
