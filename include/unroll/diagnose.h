// Does the gradient reach the past? A callback that looks, now and then while a model trains, at
// what comes back to each time step, and says where it vanishes or explodes.
//
//   auto watch = gradient_watch(train.x, train.y, {.warn = [](const GradientFinding& found) {
//                                 std::cerr << found.to_string() << "\n";
//                               }});
//   model.fit(train.x, train.y, {.epochs = 20, .callbacks = {watch}});
//   for (const GradientReach& layer : watch->reach()) ... layer.left, layer.steps
//
// What is measured is the length of d loss / d h_t over a few rows (gradients_by_step,
// unroll/unrolled.h): how much of what arrives at the last step is left at the first. Where every
// step has a target of its own, each also has a gradient of its own, and nothing is found.
// Source: Hochreiter, 1991; Bengio, Simard, Frasconi, "Learning long-term dependencies with
// gradient descent is difficult", 1994; Pascanu, Mikolov, Bengio, 2013.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "unroll/model.h"

namespace unroll {

/// How far back the gradient reaches in one recurrent layer.
struct GradientReach {
  std::string layer, class_name;
  Index steps = 0;  ///< from the first step to the last: how far back there is to go
  double left = 0;  ///< |d loss / d h_first| / |d loss / d h_last|; NaN where one is not finite
  Index far = 0;    ///< steps back until less than a hundredth is left; `steps` where more is
};

/// What is wrong with it.
struct GradientFinding {
  GradientReach reach;
  bool explodes = false;  ///< or else it vanishes
  Index epoch = -1;       ///< after which it was seen first, from 0; -1: with the first weights
  /// One sentence, and what helps.
  std::string to_string() const;
};

struct GradientWatchOptions {
  Index every = 1;         ///< epochs from one look to the next
  Index rows = 32;         ///< that are looked at, evenly out of all
  double vanished = 1e-6;  ///< less left than this is too little
  double exploded = 1e3;   ///< more is too much
  /// Told of each finding at once; of each layer and kind only the first.
  std::function<void(const GradientFinding&)> warn = {};
};

/// Looks with the first weights and after every `every`th epoch; weights and training stay as they
/// are. Cost: a forward and a backward pass of `rows` rows through unroll_in_time(model) a look.
/// Throws: Error (value) for options out of range or no rows; in fit: as gradients_by_step.
class GradientWatch : public Callback {
 public:
  GradientWatch(Data x, Data y, GradientWatchOptions options = {});
  void on_train_begin(Model& model) override;
  void on_epoch_end(Model& model, Index epoch, const Logs& logs) override;

  /// Of the last look; layers in the order in which they run.
  const std::vector<GradientReach>& reach() const noexcept { return reach_; }
  const std::vector<GradientFinding>& findings() const noexcept { return findings_; }

 private:
  void look(Model& model, Index epoch);
  void find(const GradientReach& reach, bool explodes, Index epoch);

  Data x_, y_;
  GradientWatchOptions options_;
  std::vector<GradientReach> reach_;
  std::vector<GradientFinding> findings_;
};

inline std::shared_ptr<GradientWatch> gradient_watch(Data x, Data y,
                                                     GradientWatchOptions options = {}) {
  return std::make_shared<GradientWatch>(std::move(x), std::move(y), std::move(options));
}

}  // namespace unroll
