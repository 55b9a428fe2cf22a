//! The example of a pipeline, with a model in the process.

use super::model::Model;

#[path = "../../../examples/invoices.rs"]
#[expect(dead_code, reason = "its main function is not run here")]
mod invoices;

#[tokio::test]
async fn the_pipeline_sorts_reads_and_sums() {
    let model = Model::saying([
        "\"invoice\"",
        r#"{"number":"RE-17","total":29970,"items":[{"what":"chair","price":9990,"count":3}]}"#,
        "\"letter\"",
        "\"invoice\"",
        r#"{"number":"9","total":100,"items":[{"what":"pen","price":50,"count":1}]}"#,
        r#"{"number":"9","total":50,"items":[{"what":"pen","price":50,"count":1}]}"#,
    ]);
    let documents = ["RE-17: 3 chairs at 99.90", "Dear Ms Doe, …", "No 9: a pen, 0.50"];
    let report = invoices::run(&model.client(), "test/m", &documents).await.unwrap();
    assert_eq!(report.total, 30020);
    let told: Vec<_> = report.lines.iter().map(String::as_str).collect();
    assert_eq!(
        told,
        ["RE-17: 29970 cents for chair", "no invoice but a letter", "9: 50 cents for pen (asked 2 times)"]
    );
}
