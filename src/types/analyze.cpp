// analyze.cpp: statistics of encrypted columns: how many nulls, how wide. No value is opened or stored.

#include "server/backend.h"

namespace envcrypt {
namespace {

extern "C" void envcrypt_compute_statistics(VacAttrStatsP stats, AnalyzeAttrFetchFunc fetch, int sampled_rows,
                                            double) {
    double total_width = 0;
    int nulls = 0;
    for (int row = 0; row < sampled_rows; row++) {
        AnalyzeDelayPoint();
        bool isnull = false;
        const Datum value = fetch(stats, row, &isnull);
        if (isnull)
            nulls++;
        else
            total_width += static_cast<double>(VARSIZE_ANY(DatumGetPointer(value)));
    }
    if (sampled_rows == 0)
        return;
    stats->stats_valid = true;
    stats->stanullfrac = static_cast<float4>(static_cast<double>(nulls) / sampled_rows);
    const int values = sampled_rows - nulls;
    stats->stawidth = values > 0 ? static_cast<int32>(total_width / values) : 0;
    // The planner's own default for an unknown number of distinct values.
    stats->stadistinct = 0.0;
}

}  // namespace
}  // namespace envcrypt

ENVCRYPT_FUNCTION(envcrypt_type_analyze) {
    auto *stats = reinterpret_cast<VacAttrStats *>(PG_GETARG_POINTER(0));
    stats->compute_stats = envcrypt::envcrypt_compute_statistics;
    const int target = envcrypt::StatisticsTarget(stats);
    stats->minrows = 300 * (target < 0 ? default_statistics_target : target);
    PG_RETURN_BOOL(true);
}
