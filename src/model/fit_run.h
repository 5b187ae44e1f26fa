// One call of fit: epochs and batches over a Trainer, and where it stands.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "src/model/fit_data.h"
#include "src/model/model_impl.h"
#include "unroll/record.h"

namespace unroll {

/// Seconds, those of an earlier process included.
class Clock {
 public:
  double seconds() const {
    return before_ +
           std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }
  void begin(double before = 0) {
    begin_ = std::chrono::steady_clock::now();
    before_ = before;
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  double before_ = 0;
};

/// Names and texts that say what a fit works on; see describe_fit.
using Description = std::vector<std::pair<std::string, std::string>>;

/// Model, data and arguments: whatever changes the numbers that a fit comes to. Two fits of the
/// same description, begun with the same weights, are the same bits.
Description describe_fit(const ModelImpl& model, const Trainer& trainer, const Parts& parts,
                         const FitOptions& options);

class FitRun {
 public:
  /// Throws: as Model::fit.
  FitRun(const Model& model, const Data& x, const Data& y, const FitOptions& options);
  ~FitRun();
  FitRun(const FitRun&) = delete;
  FitRun& operator=(const FitRun&) = delete;

  History run();

  std::vector<std::string> names() const;
  Record record() const;
  void go_on_from(const Record& record);

 private:
  void restore(const Record& record);
  void begin_epoch();
  void train_epoch();
  void train_step();
  void end_epoch();
  void settle(bool interrupted);
  void validate(Logs& logs);

  Model model_;
  ModelImpl& impl_;
  const FitOptions& options_;
  Parts parts_;
  Trainer& trainer_;
  Passes passes_;
  Totals totals_;
  Description description_;
  Index steps_;
  History history_;
  Clock whole_, clock_;
  Index epoch_, step_ = 0;
  bool inside_ = false;  // an epoch has begun that this fit goes on with
  bool interrupted_ = false;
  Logs logs_;
  std::optional<Record> pending_;
};

}  // namespace unroll
