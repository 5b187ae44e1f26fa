// A describer that is told everything and listens to little.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/layer.h"

namespace unroll {

/// Lets every option pass; who wants one overrides its function.
class Listener : public Describer {
 public:
  void field(std::string_view, bool&) override {}
  void field(std::string_view, Index&) override {}
  void field(std::string_view, double&) override {}
  void field(std::string_view, std::string&) override {}
  void field(std::string_view, Activation&) override {}
  void field(std::string_view, Initializer&) override {}
  void field(std::string_view, Regularizer&) override {}
  void field(std::string_view, Constraint&) override {}
  void field(std::string_view, Shape&) override {}
  void field(std::string_view, Picks&) override {}
  void field(std::string_view, std::shared_ptr<Component>&) override {}
  void field(std::string_view, std::vector<std::shared_ptr<Component>>&) override {}
};

}  // namespace unroll
