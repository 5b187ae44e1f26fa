#include "src/data/table_data.h"
#include "unroll/error.h"

namespace unroll {

struct Table::Builder::State {
  std::shared_ptr<Data> table = std::make_shared<Data>();

  data::Column& add(std::string name, std::size_t rows, ColumnKind kind) {
    const auto count = static_cast<Index>(rows);
    if (!table->columns.empty() && count != table->rows) {
      throw Error(ErrorKind::shape, table->name + ", column " + name + ": another number of rows",
                  {.got = std::to_string(count), .want = std::to_string(table->rows)});
    }
    table->rows = count;
    data::Column& column = table->columns.emplace_back();
    column.kind = kind;
    column.name = std::move(name);
    return column;
  }
};

Table::Builder::Builder(std::string name) : state_(std::make_unique<State>()) {
  state_->table->name = std::move(name);
}
Table::Builder::~Builder() = default;

Table::Builder& Table::Builder::numbers(std::string column, std::vector<double> values) {
  state_->add(std::move(column), values.size(), ColumnKind::numbers).numbers = std::move(values);
  return *this;
}

Table::Builder& Table::Builder::dates(std::string column, std::vector<Timestamp> values) {
  state_->add(std::move(column), values.size(), ColumnKind::dates).dates = std::move(values);
  return *this;
}

Table::Builder& Table::Builder::text(std::string column, const std::vector<std::string>& values) {
  data::Column& added = state_->add(std::move(column), values.size(), ColumnKind::text);
  for (const std::string& value : values) added.texts.push_back(value);
  return *this;
}

Table Table::Builder::build() {
  // The builder starts anew, so that the table it gave away stays as it is.
  auto built = std::move(state_->table);
  state_ = std::make_unique<State>();
  state_->table->name = built->name;
  return Table(std::move(built));
}

}  // namespace unroll
