// Options of layers and cells as Keras's "config" objects.
#pragma once

#include <functional>

#include "src/io/json.h"
#include "unroll/layer.h"

namespace unroll::io {

/// Collects the options of one component, in Keras's words and forms.
class OptionsWriter final : public Describer {
 public:
  using Inner = std::function<Json(Component&)>;

  /// `inner` writes the layers and cells inside this one.
  OptionsWriter(std::string_view class_name, Inner inner)
      : class_name_(class_name), inner_(std::move(inner)) {}

  Json config = Json::object();
  /// What Keras takes with each call instead, by the names of its arguments.
  Json call = Json::object();
  /// GetItem's picks, the second argument of its calls.
  Json key;

  void field(std::string_view name, bool& value) override;
  void field(std::string_view name, Index& value) override;
  void field(std::string_view name, double& value) override;
  void field(std::string_view name, std::string& value) override;
  void field(std::string_view name, Activation& value) override;
  void field(std::string_view name, Initializer& value) override;
  void field(std::string_view name, Regularizer& value) override;
  void field(std::string_view name, Constraint& value) override;
  void field(std::string_view name, Shape& value) override;
  void field(std::string_view name, Picks& value) override;
  void field(std::string_view name, std::shared_ptr<Component>& value) override;
  void field(std::string_view name, std::vector<std::shared_ptr<Component>>& value) override;

 private:
  Json& at(std::string_view name) { return config[std::string(name)]; }

  std::string_view class_name_;
  Inner inner_;
};

}  // namespace unroll::io
