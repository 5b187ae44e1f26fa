// Options of layers and cells from Keras's "config" objects.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "src/io/json_at.h"
#include "unroll/layer.h"

namespace unroll::io {

/// Fills the options of one component. What is missing keeps its default; what nobody asks for must
/// be known to mean nothing here (check_all_read), so that no option is lost in silence.
/// Throws: Error (format).
class OptionsReader final : public Describer {
 public:
  /// Reads a layer, or where the flag says so a cell.
  using Inner = std::function<std::shared_ptr<Component>(const JsonAt&, bool cell)>;

  /// `call`: the keyword arguments of the layer's first call, where it has one.
  OptionsReader(JsonAt config, std::string class_name, std::optional<JsonAt> call, Inner inner)
      : config_(std::move(config)),
        class_name_(std::move(class_name)),
        call_(std::move(call)),
        inner_(std::move(inner)) {}

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

  /// Throws: Error (format) for an option that is not understood.
  void check_all_read() const;

 private:
  std::optional<JsonAt> find(std::string_view name);
  /// The same, but none for null.
  std::optional<JsonAt> given(std::string_view name);

  JsonAt config_;
  std::string class_name_;
  std::optional<JsonAt> call_;
  Inner inner_;
  std::set<std::string> seen_;
};

}  // namespace unroll::io
