"""Tables, arrays and models in files: pandas, polars, pyarrow, numpy and their kin, and the formats models are kept in."""

from __future__ import annotations

from offduty.transactions.scan.families.databases import reads_sql, writes_table
from offduty.transactions.scan.rules import Rule, as_made, by_mode, each, needs_target, touches

PATH = (
    "filepath_or_buffer", "path", "path_or_buf", "io", "source", "file", "path_or_buffer", "fname", "filename", "root", "where",
    "excel_writer",
    "filename_or_obj", "target", "fp", "f", "uri", "urlpath", "store", "workbook",
)  # fmt: skip
READS, WRITES = touches("file.read", 0, *PATH), touches("file.write", 0, *PATH)
WRITES_SECOND, WRITES_IF_NAMED = touches("file.write", 1, *PATH, "sink", "dest", "base_dir"), needs_target("file.write", 0, *PATH)
LOADS = touches(
    "model.load", 0, *PATH, "model_uri", "model_file", "filepath", "model", "name", "pretrained_model_name_or_path", "path_or_bytes"
)
LOADS_IF_NAMED = needs_target("model.load", -1, "model_file")


PANDAS = (
    "read_csv read_table read_fwf read_excel read_json read_html read_xml read_hdf read_feather read_parquet read_orc read_sas read_spss"
)
PANDAS += " read_stata read_pickle ExcelFile"
POLARS = "csv csv_batched excel ipc ipc_stream ndjson json parquet avro ods delta iceberg"

CALLS: dict[str, Rule] = {
    **each("pandas.", PANDAS, READS),
    **each("geopandas.", "read_file read_parquet read_feather", READS),
    **each("modin.pandas.", "read_csv read_table read_excel read_json read_parquet read_feather", READS),
    **each("pandas.", "read_sql read_sql_query read_sql_table", reads_sql),
    "pandas.read_gbq": touches("db.query", -1),
    "pandas.ExcelWriter": WRITES,
    "pandas.HDFStore": by_mode(0, PATH, 1),
    "pandas.to_pickle": WRITES_SECOND,
    **{f"polars.read_{name}": READS for name in POLARS.split()},
    **{f"polars.scan_{name}": READS for name in POLARS.split()},
    **each("polars.", "read_database read_database_uri", reads_sql),
    **each("pyarrow.parquet.", "read_table read_pandas ParquetFile ParquetDataset read_schema read_metadata", READS),
    **each(
        "pyarrow.", "csv.read_csv csv.open_csv json.read_json feather.read_feather feather.read_table orc.read_table orc.ORCFile", READS
    ),
    **each("pyarrow.", "dataset.dataset dataset.parquet_dataset memory_map", READS),
    **each("pyarrow.", "parquet.write_table csv.write_csv feather.write_feather orc.write_table", WRITES_SECOND),
    **each("pyarrow.", "parquet.write_to_dataset dataset.write_dataset", touches("file.write", 1, "root_path", "base_dir")),
    "pyarrow.parquet.ParquetWriter": WRITES,
    "pyarrow.OSFile": by_mode(0, PATH, 1),
    **each("numpy.", "load loadtxt genfromtxt fromfile fromregex", READS),
    "numpy.memmap": by_mode(0, PATH, 2),
    **each("numpy.", "save savez savez_compressed savetxt", WRITES),
    **each("", "scipy.io.loadmat scipy.io.wavfile.read scipy.sparse.load_npz cv2.imread PIL.Image.open imageio.imread", READS),
    **each("", "imageio.v3.imread skimage.io.imread openpyxl.load_workbook xlrd.open_workbook pyreadstat.read_sav", READS),
    **each("", "xarray.open_dataset xarray.open_dataarray xarray.open_zarr xarray.open_mfdataset rasterio.open fiona.open", READS),
    **each("", "toml.load dotenv.load_dotenv dotenv.dotenv_values", READS),
    **each("", "scipy.io.savemat scipy.sparse.save_npz cv2.imwrite imageio.imwrite imageio.v3.imwrite xlsxwriter.Workbook", WRITES),
    **each("", "h5py.File netCDF4.Dataset zarr.open", by_mode(0, PATH, 1)),
    **each("", "joblib.load dill.load_session torch.load torch.jit.load keras.models.load_model tensorflow.keras.models.load_model", LOADS),
    **each("", "tensorflow.saved_model.load safetensors.torch.load_file spacy.load onnx.load onnxruntime.InferenceSession", LOADS),
    **each("", "skops.io.load fasttext.load_model sentence_transformers.SentenceTransformer transformers.pipeline", LOADS),
    **{f"mlflow.{kind}.load_model": LOADS for kind in "pyfunc sklearn xgboost lightgbm catboost pytorch spark tensorflow keras".split()},
    "mlflow.load_model": LOADS,
    "lightgbm.Booster": LOADS_IF_NAMED,
    "xgboost.Booster": needs_target("model.load", 2, "model_file"),
    **each("", "joblib.dump torch.save torch.jit.save onnx.save skops.io.dump", touches("file.write", 1, "filename", "f", "file")),
    "safetensors.torch.save_file": WRITES_SECOND,
}

ON: dict[str, dict[str, Rule]] = {
    **{f"polars.scan_{name}": each("", "collect collect_async fetch", as_made("file.read")) for name in POLARS.split()},
}

METHODS: dict[str, Rule] = {
    **each("", "to_csv to_json to_html to_xml to_latex to_markdown to_string", WRITES_IF_NAMED),
    **each("", "to_parquet to_excel to_feather to_pickle to_hdf to_stata to_orc to_netcdf to_zarr", WRITES_IF_NAMED),
    **each("", "write_csv write_parquet write_ipc write_ndjson write_avro write_excel write_delta", WRITES_IF_NAMED),
    **each("", "sink_csv sink_parquet sink_ipc sink_ndjson tofile savefig save_model save_pretrained", WRITES_IF_NAMED),
    **each("", "to_sql write_database", writes_table),
    "to_gbq": touches("db.query", 0, "destination_table"),
    **each("", "load_model from_pretrained load_weights", needs_target("model.load", 0, "fname", "filepath", "path")),
}

SAME: dict[str, str] = {"tensorflow.io.gfile.GFile": "open"}

HANDLES = frozenset(
    {"pandas.ExcelWriter", "pandas.ExcelFile", "pandas.HDFStore", "pyarrow.OSFile", "pyarrow.BufferReader", "pyarrow.memory_map"}
)
