// The newer cells one step at a time: a product of one row, and the recurrence of one step.
#include <algorithm>

#include "src/base/aligned.h"
#include "src/kernels/gemv.h"
#include "src/layers/streamed.h"
#include "src/recurrent/scanned.h"
#include "src/recurrent/walker.h"

namespace unroll {

namespace {

Index line_of(Index count) { return base::round_up(count, base::cache_line / 4); }

/// States: the recurrence's, then of a window the inputs before this one.
class ScanStep final : public StreamedLayer {
 public:
  ScanStep(ScanWeights weights, const Walk& walk, WeightType type)
      : w_(std::move(weights)), walk_(walk) {
    w_.shape.time = w_.shape.rows = 1;
    P_ = kernels::scan_gates(w_.shape) * w_.shape.units;
    S_ = kernels::scan_state(w_.shape);
    O_ = w_.outputs > 0 ? w_.outputs : w_.shape.units;
    seen_ = w_.window * w_.features;
    kernel_ = kernels::PackedMatrix(seen_, P_, w_.kernel.data(), type);
    bias_.resize(static_cast<std::size_t>(kernels::gemv_room(P_)));
    const auto biases = static_cast<Index>(w_.bias.size());
    std::ranges::copy(w_.bias, bias_.begin() + first_biased(w_.shape, biases));
    products_ = kernels::gemv_scratch(kernel_);
    if (w_.outputs == 0) return;
    output_ = kernels::PackedMatrix(S_, O_, w_.output.data(), type);
    skip_kernel_ = kernels::PackedMatrix(w_.features, O_, w_.skip_kernel.data(), type);
    no_bias_.resize(static_cast<std::size_t>(kernels::gemv_room(O_)));
    products_ =
        std::max(products_, kernels::gemv_scratch(output_) + kernels::gemv_scratch(skip_kernel_));
  }

  std::vector<Index> states() const override {
    if (w_.window == 1) return {S_};
    return {S_, seen_ - w_.features};
  }
  Index scratch() const override {
    return line_of(seen_) + kernels::gemv_room(P_) + 2 * line_of(S_) + line_of(O_) + products_;
  }

  bool run(const StepRun& s) const override {
    if (s.kept) {
      take(s);
    } else if (walk_.zero_output_for_mask) {
      std::fill_n(s.outputs[0], O_, 0.0f);
    }  // else the output of the step before still stands there
    if (walk_.return_state) {
      std::copy_n(s.states, S_, s.outputs[1]);
      if (w_.window > 1) std::copy_n(window_of(s), seen_ - w_.features, s.outputs[2]);
    }
    return !walk_.return_sequences || s.kept;
  }

 private:
  float* window_of(const StepRun& s) const { return s.states + kernels::gemv_room(S_); }
  void take(const StepRun& s) const {
    float* seen = s.scratch;
    float* gates = seen + line_of(seen_);
    float* before = gates + kernels::gemv_room(P_);
    float* next = before + line_of(S_);
    float* y = next + line_of(S_);
    float* products = y + line_of(O_);
    const float* x = s.inputs[0];
    const Index F = w_.features;
    std::copy_n(window_of(s), seen_ - F, seen);
    std::copy_n(x, F, seen + seen_ - F);
    std::copy_n(s.states, S_, before);
    kernels::gemv({seen, &kernel_}, {}, bias_.data(), products, gates);
    kernels::scan_forward(
        w_.shape,
        kernels::ScanForward<float>{.gates = gates,
                                    .weights = w_.weights.empty() ? nullptr : w_.weights.data(),
                                    .skip = w_.skip ? x : nullptr,
                                    .skip_scale = static_cast<float>(w_.skip_scale),
                                    .before = before,
                                    .states = next,
                                    .y = kernels::scan_has_output(w_.shape.kind) ? y : nullptr});
    std::copy_n(next, S_, s.states);
    forget_tiny(s.states, S_);
    std::copy_n(seen + F, seen_ - F, window_of(s));
    if (w_.outputs > 0) {
      kernels::gemv({next, &output_}, {seen + seen_ - F, &skip_kernel_}, no_bias_.data(), products,
                    s.outputs[0]);
    } else {
      std::copy_n(kernels::scan_has_output(w_.shape.kind) ? y : next, O_, s.outputs[0]);
    }
  }

  ScanWeights w_;
  Walk walk_;
  Index P_ = 0, S_ = 0, O_ = 0, seen_ = 0, products_ = 0;
  kernels::PackedMatrix kernel_, output_, skip_kernel_;
  std::vector<float> bias_, no_bias_;
};

}  // namespace

std::shared_ptr<const StreamedLayer> scan_step(ScanWeights weights, const Walk& walk,
                                               const StreamRequest& request) {
  if (vector_size(request) < 0) return nullptr;
  return std::make_shared<ScanStep>(std::move(weights), walk, request.weights);
}

}  // namespace unroll
