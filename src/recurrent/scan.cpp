// Element-wise recurrences on a tape.
#include <algorithm>

#include "src/autograd/dispatch.h"
#include "src/kernels/gemm.h"
#include "src/kernels/vector.h"
#include "src/recurrent/scanned.h"
#include "unroll/newer_cells.h"

namespace unroll {

namespace {

/// Bytes of the gates of a chunk: with a chunk of x and of the states they stay in a core's cache.
constexpr Index chunk_bytes = 256 * 1024;

/// The sizes of one run. It says nothing of threads: the bits of a sum over chunks depend on them.
struct Sizes {
  Index B, F, P, S, O;  // rows, features, gates units, state, output
  Index steps;          // of a chunk

  Sizes(const kernels::ScanShape& s, Index features, Index size)
      : B(s.rows),
        F(features),
        P(kernels::scan_gates(s) * s.units),
        S(kernels::scan_state(s)),
        O(kernels::scan_has_output(s.kind) ? s.units : S),
        steps(std::clamp<Index>(chunk_bytes / (B * P * size), 1, std::max<Index>(s.time, 1))) {}
};

/// Where a run keeps its numbers.
template <class T>
struct Buffers {
  T *gates = nullptr, *states = nullptr;  // of all steps where backward will come, else of a chunk
  T* y = nullptr;                         // of all steps, or of a chunk; null where y is the state
  T* before = nullptr;                    // (B, S) the state before the first step
  const T *weights = nullptr, *skip = nullptr;
};

template <class T>
T* numbers(const Var& v) {
  return v ? v.data<T>() : nullptr;
}
template <class T>
T* wanted(const Var& v) {
  return v && v.needs_gradient() ? v.gradient<T>() : nullptr;
}

template <class T>
class Run {
 public:
  Run(const kernels::ScanShape& shape, const ScanParts& parts, bool sequences)
      : shape_(shape),
        parts_(parts),
        size_(shape, parts.x.shape()[2], sizeof(T)),
        sequences_(sequences) {}

  ScanResult forward();

 private:
  kernels::ScanShape chunk_shape(Index steps) const {
    kernels::ScanShape shape = shape_;
    shape.time = steps;
    return shape;
  }
  void take_buffers(bool keeps, ScanResult& result);
  void forward_chunks(bool keeps, const T* packed, const T* bias);
  void finish(bool keeps, const ScanResult& result) const;
  void backward(const ScanResult& result) const;

  kernels::ScanShape shape_;
  ScanParts parts_;
  Sizes size_;
  bool sequences_;
  Buffers<T> at_;
};

template <class T>
ScanResult Run<T>::forward() {
  Tape& tape = parts_.x.tape();
  base::Arena& arena = tape.arena();
  bool keeps = false;
  for (const Var& v :
       {parts_.x, parts_.kernel, parts_.bias, parts_.weights, parts_.skip, parts_.initial}) {
    keeps = keeps || (v && v.needs_gradient());
  }
  const DType dtype = parts_.x.dtype();
  const Shape row{shape_.rows, size_.O};
  ScanResult result{tape.result(sequences_ ? row.with(0, shape_.time) : row, dtype, keeps),
                    tape.result({shape_.rows, size_.S}, dtype, keeps)};
  if (sequences_) result.y.set_time_first(true);
  take_buffers(keeps, result);
  const auto mark = arena.mark();
  T* packed = arena.take<T>(kernels::packed_size<T>(size_.F, size_.P));
  kernels::pack(size_.F, size_.P, parts_.kernel.data<T>(), size_.P, false, packed);
  T* bias = nullptr;
  if (parts_.bias) {
    bias = arena.take<T>(size_.P);
    std::fill_n(bias, size_.P, T{0});
    std::copy_n(parts_.bias.data<T>(), parts_.bias.elements(),
                bias + first_biased(shape_, parts_.bias.elements()));
  }
  forward_chunks(keeps, packed, bias);
  finish(keeps, result);
  arena.release(mark);
  if (keeps) tape.record_always([run = *this, result] { run.backward(result); });
  return result;
}

template <class T>
void Run<T>::take_buffers(bool keeps, ScanResult& result) {
  base::Arena& arena = parts_.x.tape().arena();
  const Index steps = keeps ? shape_.time : size_.steps, rows = steps * size_.B;
  const bool has_output = kernels::scan_has_output(shape_.kind);
  at_.gates = arena.take<T>(rows * size_.P);
  const bool states_are_y = sequences_ && !has_output;
  at_.states = states_are_y ? result.y.data<T>() : arena.take<T>(rows * size_.S);
  if (has_output) at_.y = sequences_ ? result.y.data<T>() : arena.take<T>(rows * size_.O);
  at_.weights = numbers<T>(parts_.weights);
  at_.skip = numbers<T>(parts_.skip);
  at_.before = arena.take<T>(size_.B * size_.S);
  if (parts_.initial) {
    std::copy_n(parts_.initial.data<T>(), size_.B * size_.S, at_.before);
  } else {
    std::fill_n(at_.before, size_.B * size_.S, T{0});
  }
}

template <class T>
void Run<T>::forward_chunks(bool keeps, const T* packed, const T* bias) {
  const bool all_states = keeps || (sequences_ && !kernels::scan_has_output(shape_.kind));
  const Index BS = size_.B * size_.S;
  for (Index t = 0; t < shape_.time; t += size_.steps) {
    const Index steps = std::min(size_.steps, shape_.time - t), first = t * size_.B;
    kernels::ScanForward<T> call;
    call.gates = at_.gates + (keeps ? first * size_.P : 0);
    kernels::gemm(steps * size_.B, size_.P, size_.F, parts_.x.data<T>() + first * size_.F, size_.F,
                  packed, call.gates, size_.P, {.bias = bias}, parts_.x.tape().team());
    call.weights = at_.weights;
    call.skip = at_.skip == nullptr ? nullptr : at_.skip + first * shape_.units;
    call.skip_scale = static_cast<T>(parts_.skip_scale);
    call.mask = parts_.mask ? parts_.mask.data + first : nullptr;
    call.states = at_.states + (all_states ? first * size_.S : 0);
    call.before = all_states && t > 0 ? call.states - BS : at_.before;
    if (at_.y != nullptr) call.y = at_.y + (keeps || sequences_ ? first * size_.O : 0);
    kernels::scan_forward(chunk_shape(steps), call);
    // The chunk's place is used again: what the next one begins with is kept beside it.
    if (!all_states) std::copy_n(call.states + (steps - 1) * BS, BS, at_.before);
  }
}

/// The last output and the last state, from where the chunks have left them.
template <class T>
void Run<T>::finish(bool keeps, const ScanResult& result) const {
  const Index T_ = shape_.time, BS = size_.B * size_.S, BO = size_.B * size_.O;
  const bool has_output = kernels::scan_has_output(shape_.kind);
  const bool all_states = keeps || (sequences_ && !has_output);
  const T* state = T_ > 0 && all_states ? at_.states + (T_ - 1) * BS : at_.before;
  std::copy_n(state, BS, result.state.template data<T>());
  if (sequences_) return;
  if (T_ == 0) {
    std::fill_n(result.y.template data<T>(), BO, T{0});
    return;
  }
  const T* y = state;
  if (has_output) y = at_.y + (keeps ? T_ - 1 : (T_ - 1) % size_.steps) * BO;
  std::copy_n(y, BO, result.y.template data<T>());
}

template <class T>
void Run<T>::backward(const ScanResult& result) const {
  if (!result.y.has_gradient() && !result.state.has_gradient()) return;
  // Before the mark: gradients that are taken now must stay.
  T *dx = wanted<T>(parts_.x), *dkernel = wanted<T>(parts_.kernel), *dbias = wanted<T>(parts_.bias);
  T *dskip = wanted<T>(parts_.skip), *dweights = wanted<T>(parts_.weights);
  T* dinitial = wanted<T>(parts_.initial);
  base::Arena& arena = parts_.x.tape().arena();
  base::Workers* team = parts_.x.tape().team();
  const auto mark = arena.mark();
  const auto zeros = [&arena](Index count) {
    T* memory = arena.take<T>(count);
    std::fill_n(memory, count, T{0});
    return memory;
  };
  const Index BS = size_.B * size_.S, BO = size_.B * size_.O, P = size_.P, F = size_.F;
  T* dstate = zeros(BS);
  if (result.state.has_gradient()) std::copy_n(result.state.template gradient<T>(), BS, dstate);
  const T* dy = result.y.has_gradient() ? result.y.template gradient<T>() : nullptr;
  T* dlast = nullptr;  // of the last chunk's outputs, where only the last one is asked for
  const Index last = (shape_.time - 1) / size_.steps * size_.steps;
  if (dy != nullptr && !sequences_) {
    dlast = zeros((shape_.time - last) * BO);
    std::copy_n(dy, BO, dlast + (shape_.time - 1 - last) * BO);
  }
  if (parts_.weights && dweights == nullptr) dweights = zeros(parts_.weights.elements());
  T* packed = nullptr;
  if (dx != nullptr) {
    packed = arena.take<T>(kernels::packed_size<T>(P, F));
    kernels::pack(P, F, parts_.kernel.template data<T>(), P, true, packed);
  }
  T* dgates = arena.take<T>(size_.steps * size_.B * P);
  for (Index t = last; t >= 0; t -= size_.steps) {
    const Index steps = std::min(size_.steps, shape_.time - t), first = t * size_.B;
    const Index rows = steps * size_.B;
    kernels::ScanBackward<T> call;
    call.gates = at_.gates + first * P;
    call.weights = at_.weights;
    call.skip = at_.skip == nullptr ? nullptr : at_.skip + first * shape_.units;
    call.skip_scale = static_cast<T>(parts_.skip_scale);
    call.mask = parts_.mask ? parts_.mask.data + first : nullptr;
    call.states = at_.states + first * size_.S;
    call.before = t > 0 ? call.states - BS : at_.before;
    call.dy = !sequences_ ? (t == last ? dlast : nullptr) : dy == nullptr ? nullptr : dy + t * BO;
    call.dstate = dstate;
    call.dgates = dgates;
    call.dweights = dweights;
    call.dskip = dskip == nullptr ? nullptr : dskip + first * shape_.units;
    kernels::scan_backward(chunk_shape(steps), call);
    const T* x = parts_.x.template data<T>() + first * F;
    if (dkernel != nullptr)
      kernels::gemm_transposed_a(rows, P, F, x, F, dgates, P, dkernel, P, team);
    if (dbias != nullptr) {
      kernels::add_rows(rows, parts_.bias.elements(),
                        dgates + first_biased(shape_, parts_.bias.elements()), P, dbias);
    }
    if (dx != nullptr) {
      kernels::gemm(rows, F, P, dgates, P, packed, dx + first * F, F, {.accumulate = true}, team);
    }
  }
  if (dinitial != nullptr) kernels::add(BS, dinitial, dstate, dinitial);
  arena.release(mark);
}

}  // namespace

Index first_biased(const kernels::ScanShape& shape, Index biases) {
  return (kernels::scan_gates(shape) - (shape.skips ? 1 : 0)) * shape.units - biases;
}

ScanResult scan_sequence(kernels::ScanShape shape, const ScanParts& parts, bool sequences) {
  shape.time = parts.x.shape()[0];
  shape.rows = parts.x.shape()[1];
  return with_float(parts.x.dtype(),
                    [&]<class T>() { return Run<T>(shape, parts, sequences).forward(); });
}

Var repeat_masked(const Var& y, const Mask& mask, bool zero) {
  Tape& tape = y.tape();
  const Index time = y.shape()[0], rows = y.shape()[1], n = y.shape()[2];
  // Row 0 of the table is zeros; the output of step t and row b is row 1 + t rows + b.
  Var nothing = tape.result({1, n}, y.dtype(), false);
  with_float(y.dtype(), [&]<class T>() { std::fill_n(nothing.data<T>(), n, T{0}); });
  const Var table = concat({nothing, reshape(y, {time * rows, n})}, 0);
  const Var ids = tape.result({time, rows}, DType::int32, false);
  auto* id = ids.data<std::int32_t>();
  for (Index i = 0; i < time * rows; ++i) {
    const std::int32_t before = zero || i < rows ? 0 : id[i - rows];
    id[i] = mask.data[i] != 0 ? static_cast<std::int32_t>(1 + i) : before;
  }
  return gather(table, ids).set_time_first(true);
}

Var linear_scan(const Var& a, const Var& b, const Var& h0) {
  if (a.rank() < 1 || a.shape() != b.shape() || (h0 && h0.shape() != a.shape().without(0))) {
    throw Error(ErrorKind::shape, "linear_scan: shapes do not fit",
                {.got = a.shape().to_string() + ", " + b.shape().to_string() +
                        (h0 ? ", " + h0.shape().to_string() : ""),
                 .want = "a and b (time, ...), and h0 of a step's shape"});
  }
  Tape& tape = a.tape();
  const Index time = a.shape()[0], n = a.shape().product(1, a.rank());
  const bool needs = a.needs_gradient() || b.needs_gradient() || (h0 && h0.needs_gradient());
  Var h = tape.result(a.shape(), a.dtype(), needs);
  h.set_time_first(a.time_first());
  with_float(a.dtype(), [&]<class T>() {
    kernels::linear_scan(time, n, a.data<T>(), b.data<T>(), numbers<T>(h0), h.data<T>());
    tape.record(h, [=] {
      T *da = wanted<T>(a), *db = wanted<T>(b), *dh0 = wanted<T>(h0);
      base::Arena& arena = a.tape().arena();
      const auto mark = arena.mark();
      T* carry = arena.take<T>(n);
      std::fill_n(carry, n, T{0});
      kernels::linear_scan_backward(time, n, a.data<T>(), numbers<T>(h0), h.data<T>(),
                                    h.gradient<T>(), carry, da, db);
      if (dh0 != nullptr) kernels::add(n, dh0, carry, dh0);
      arena.release(mark);
    });
  });
  return h;
}

}  // namespace unroll
