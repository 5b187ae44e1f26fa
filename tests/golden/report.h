// What the golden runner has found: numbers compared, cases counted, lines printed.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "unroll/tensor.h"

namespace unroll::golden {

/// Thrown by a case that there is no code for yet; the text says what is missing.
struct Skip : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// got and want are close where |got - want| <= absolute + relative |want|.
struct Tolerance {
  double relative = 0;
  double absolute = 0;
};

/// The tolerances of one case: those that the reference data's description suggests.
struct Tolerances {
  Tolerance outputs, gradients, weights, losses;
};
Tolerances tolerances_of(const std::string& case_name, DType dtype);

/// Compares one case with what was recorded.
class Comparison {
 public:
  /// Complains where shapes differ or a number is too far off.
  void close(const std::string& what, const Tensor& got, const Tensor& want,
             const Tolerance& allowed);
  void close(const std::string& what, double got, double want, const Tolerance& allowed);
  void equal(const std::string& what, const Tensor& got, const Tensor& want) {
    close(what, got, want, {});
  }
  /// Texts; complains with the first line that differs.
  void same(const std::string& what, const std::string& got, const std::string& want);
  void fail(const std::string& complaint) { complaints_.push_back(complaint); }

  const std::vector<std::string>& complaints() const noexcept { return complaints_; }
  /// Numbers and lines that have been compared.
  Index compared() const noexcept { return compared_; }

 private:
  std::vector<std::string> complaints_;
  Index compared_ = 0;
};

/// Counts cases; prints failures at once and the reasons of skips at the end.
class Report {
 public:
  /// Runs one case: body(comparison) compares; it may throw.
  template <class Body>
  void run(const std::string& case_name, Body body) {
    Comparison comparison;
    try {
      body(comparison);
    } catch (const Skip& skip) {
      return skipped(case_name, skip.what());
    } catch (const std::exception& error) {
      comparison.fail(std::string("stopped by an error: ") + error.what());
    }
    finished(case_name, comparison);
  }

  /// Names (patterns of the shell) of cases that may not be skipped, nor be missing.
  void demand(std::vector<std::string> patterns) { demanded_ = std::move(patterns); }

  /// Prints the summary. Returns whether nothing has failed.
  bool finish();

 private:
  void skipped(const std::string& case_name, const std::string& reason);
  void finished(const std::string& case_name, const Comparison& comparison);
  bool demanded(const std::string& case_name);

  Index passed_ = 0, failed_ = 0, skipped_ = 0;
  std::map<std::string, Index> reasons_;
  std::vector<std::string> demanded_;
  std::map<std::string, Index> met_;  // cases for each demand
};

}  // namespace unroll::golden
