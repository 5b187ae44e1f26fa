// Running a test on every instruction set that this processor has.
#pragma once

#include <hwy/targets.h>

#include <string>

namespace unroll::kernels {

/// Calls f(name of the instruction set) with each one chosen in turn, the best one first.
template <class F>
void on_every_target(F f) {
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    f(std::string(hwy::TargetName(target)));
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

/// Whether a target multiplies and adds with one rounding, as the references do.
inline bool fuses(const std::string& target) {
  return target == "AVX2" || target.starts_with("AVX3");
}

}  // namespace unroll::kernels
