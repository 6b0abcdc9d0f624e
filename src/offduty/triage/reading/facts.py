"""What one statement shows, as short tags: `http:404`, `errno:ENOENT`, `file:model`, `peer:db`, `in:pandas`.

The catalogue's tie-breaks are written in these tags, so that they hold for every library and wording that shows the same thing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from offduty.runs.tails.finding import Frame
from offduty.triage.reading.statements import Statement

DATABASES = frozenset(
    "psycopg2 psycopg asyncpg pg8000 aiopg pymysql MySQLdb mysql aiomysql _mysql_exceptions mariadb oracledb cx_Oracle pyodbc pymssql sqlite3 snowflake duckdb "
    "_duckdb redis aioredis rediscluster pymongo motor mongoengine kafka confluent_kafka aiokafka cassandra pika kombu amqp celery elasticsearch elastic_transport "
    "opensearchpy sqlalchemy peewee clickhouse_driver clickhouse_connect neo4j influxdb trino pyhive impala ibm_db ibm_db_dbi vertica_python teradatasql "
    "psycopg2cffi asyncmy records pandas_gbq tortoise couchbase memcache pymemcache ldap3 etcd3 pymilvus bson".split()
)
WEB = frozenset(
    "requests urllib3 httpx httpcore aiohttp urllib botocore boto3 s3transfer boto google googleapiclient azure openai anthropic tornado pycurl requests_oauthlib "
    "huggingface_hub s3fs gcsfs adlfs github praw tweepy spotipy stripe slack_sdk twilio gspread yfinance treq http minio wandb feedparser selenium "
    "playwright scrapy grpc oauthlib ccxt urllib2 httplib httplib2 msal hvac".split()
)
_STANDARD = re.compile(
    r"[\\/](?:lib(?:64)?[\\/])?python\d[\d.]*[\\/](?:lib[\\/])?(?P<name>\w+)|[\\/]lib[\\/](?P<other>\w+)(?:\.py|[\\/])", re.IGNORECASE
)
_PACKAGE = re.compile(r"(?:site|dist)-packages[\\/](?P<name>\w+)|\.egg[\\/](?P<egg>\w+)[\\/]|[\\/]pyspark\.zip[\\/](?P<zip>\w+)")
_STANDARD_NAMES = frozenset(
    "os socket ssl json zipfile gzip pickle csv codecs subprocess importlib configparser ConfigParser urllib urllib2 http httplib tarfile shutil pathlib concurrent "
    "multiprocessing threading asyncio sqlite3 ctypes decimal datetime _strptime bz2 lzma zlib io struct xml tempfile statistics ast tomllib smtplib ftplib "
    "selectors locale encodings pkgutil random logging argparse unittest collections copy re".split()
)

_STATUS = re.compile(
    r"(?:HTTP Error|HTTPError:?|HttpError|HTTP(?:S)?/\d(?:\.\d)?\"?|HTTP(?: status(?: code)?| code| response(?: code)?)?[ :=]+|(?:response |return(?:ed)? |http[_ ]?|error )?(?:status|stat|code)"
    r"(?:[_ ]?code)?['\"]?(?: of| is| was| returned)?\s{0,2}[:=]?\s{0,2}\(?['\"]?|statusCode ?[:=] ?|Error code:|responded with(?: a| status)?|returned(?: a| an| with)?|response|got HTTP response code|"
    r"returned error:|Server error|Client error|ResponseError:?|rejected with|Received|too many|received (?:an )?(?:unexpected )?|got(?: a| an)?|bad response:?|Request failed:?|server .{0,30}:|serveur .{0,60}:|zurückgegeben:|Response \[|<Response \[|StatusCode\.|APIError\(code=?|status \()"
    r"\s?['\"(\[]?(?P<code>[1-5]\d\d)\b(?!\s?(?:ms|s\b|bytes|rows|records|lines|results|seconds|GB|MB|KB|\.\d))",
    re.IGNORECASE,
)  # fmt: skip
_STATUS_WORDS = re.compile(
    r"\b(?P<code>[45]\d\d)[\]:,]? ?(?:-\s)?\(?(?:Client Error|Server Error|Bad Request|Unauthorized|Forbidden|Not Found|Method Not Allowed|Request Time-?out|Conflict|Gone|"
    r"Unprocessable|Too Many Requests|Internal (?:Server )?Error|Not Implemented|Bad Gateway|Service (?:Temporarily )?Unavailable|Gateway Time-?out|Proxy Authentication|"
    r"Payment Required|Origin|Web Server|error responses|GET|POST|PUT|DELETE|Payload|UNAUTHENTICATED|PERMISSION_DENIED|RESOURCE_EXHAUSTED|INTERNAL|UNAVAILABLE|NOT_FOUND|Access Denied|Quota)",
    re.IGNORECASE,
)
_GRPC = {
    "UNAUTHENTICATED": "401", "PERMISSION_DENIED": "403", "NOT_FOUND": "404", "RESOURCE_EXHAUSTED": "429", "INTERNAL": "500", "UNAVAILABLE": "503",
}  # fmt: skip
_GRPC_STATUS = re.compile(
    r"(?:StatusCode\.|status(?:['\"])?\s?[=:]\s?(?:['\"])?|code ?= ?)(?P<name>UNAUTHENTICATED|PERMISSION_DENIED|NOT_FOUND|RESOURCE_EXHAUSTED|INTERNAL|UNAVAILABLE)\b"
)
_ERRNO = re.compile(
    r"\[(?:Errno|WinError) (?P<code>-?\d+)\]|\(os error (?P<os>\d+)\)|errno(?:\s?=|:| is)? ?(?P<named>\d+)\b|\berror: \((?P<old>\d{1,3}), '",
    re.IGNORECASE,
)
_ERRNOS = {
    1: "EPERM", 2: "ENOENT", 5: "EIO", 8: "ENOEXEC", 11: "EAGAIN", 12: "ENOMEM", 13: "EACCES", 17: "EEXIST", 20: "ENOTDIR", 21: "EISDIR", 22: "EINVAL", 23: "EMFILE", 24: "EMFILE",
    26: "ETXTBSY", 27: "EFBIG", 28: "ENOSPC", 30: "EROFS", 32: "EPIPE", 36: "ENAMETOOLONG", 39: "ENOTEMPTY", 48: "EADDRINUSE", 98: "EADDRINUSE", 99: "EADDRNOTAVAIL",
    101: "ENETUNREACH", 103: "ECONNABORTED", 104: "ECONNRESET", 54: "ECONNRESET", 110: "ETIMEDOUT", 60: "ETIMEDOUT", 111: "ECONNREFUSED", 61: "ECONNREFUSED", 112: "EHOSTDOWN", 113: "EHOSTUNREACH",
    116: "ESTALE", 122: "EDQUOT", 10013: "EACCES", 10048: "EADDRINUSE", 10053: "ECONNABORTED", 10054: "ECONNRESET", 10060: "ETIMEDOUT", 10061: "ECONNREFUSED", 11001: "EAI", -2: "EAI",
    -3: "EAI", -5: "EAI", 35: "EAGAIN", 3: "ENOENT",
}  # fmt: skip
_WORDED = [
    ("ENOENT", r"no such file or directory|cannot find the (?:file|path) specified|datei oder verzeichnis nicht gefunden|aucun fichier ou dossier|no existe el (?:archivo|fichero)|没有那个文件或目录|系统找不到指定的|そのようなファイルやディレクトリはありません|指定された(?:ファイル|パス)が見つかりません|нет такого файла|arquivo ou diret[óo]rio (?:inexistente|não encontrado)|file o directory non esistente|bestand of map bestaat niet|nosuchfileexception|filenotfounderror|filenotfoundexception|cannot open file '[^']*': no such"),
    ("EACCES", r"permission denied|keine berechtigung|permission non accordée|permiso denegado|权限不够|拒绝访问|許可がありません|アクセスが拒否|отказано в доступе|permissão negada|permesso negato|access is denied|zugriff verweigert|accès refusé|accessdeniedexception: /|permissionerror"),
    ("ENOSPC", r"no space left on device|auf dem gerät ist kein speicherplatz|aucun espace disponible|no queda espacio|设备上没有空间|磁盘空间不足|デバイスに空き領域がありません|ディスクに十分な空き|на устройстве не осталось|não há espaço|spazio esaurito|not enough space on the disk|nicht genügend speicherplatz"),
    ("ECONNREFUSED", r"connection refused|verbindungsaufbau abgelehnt|verbindung verweigert|connexion refusée|conexi[óo]n rehusada|拒绝连接|积极拒绝|接続を拒否|в соединении отказано|conexão recusada|connessione rifiutata|actively refused|econnrefused"),
    ("ECONNRESET", r"connection (?:was )?reset|connectionreseterror|econnreset|forcibly closed|连接被对方重设|远程主机强迫关闭|verbindung wurde vom kommunikationspartner|forzado la interrupción|接続が相手からリセット"),
    ("ETIMEDOUT", r"connection timed out|zeitüberschreitung der verbindung|délai .{0,20}dépassé|连接超时|接続がタイムアウト|etimedout|tiempo de espera"),
    ("EADDRINUSE", r"address already in use|adresse .{0,20}bereits verwendet|adresse déjà utilisée|地址已在使用|通常每个套接字地址|アドレスは既に使用中|eaddrinuse|only one usage of each socket address|端口.{0,6}占用"),
    ("EMFILE", r"too many open files|zu viele offene dateien|trop de fichiers ouverts|打开的文件过多|emfile"),
    ("ENOMEM", r"cannot allocate memory|nicht genügend hauptspeicher|impossible d'allouer|无法分配内存|メモリを確保できません"),
    ("EROFS", r"read-only file system"),
    ("EHOSTUNREACH", r"no route to host|network is unreachable|host is unreachable|host unreachable"),
    ("EAI", r"name or service not known|temporary failure in name resolution|nodename nor servname|getaddrinfo (?:failed|enotfound|eai_again)|could not resolve|couldn't resolve|name resolution|failed to resolve|unknownhostexception|unknown host|no address associated|no such host|could not translate host name|unable to resolve|dns (?:lookup|resolution)|域名解析|名前解決|der name oder der dienst ist nicht bekannt|nom ou service inconnu|nombre o servicio|name does not resolve|nxdomain|err_name_not_resolved|lookup timed out|cannot resolve host|nameresolutionerror|nodename nor|未知的名称或服务|不知道这样的主机"),
]  # fmt: skip
_WORDED_ERRNO = [(name, re.compile(words)) for name, words in _WORDED]
_SQLSTATE = re.compile(r"(?:SQLSTATE[\[: =]{1,3}|sqlstate: |\('|\d{6} \()(?P<state>[0-9A-Z]{2}[0-9A-Z]{3})(?=[\])',:; ]|$)")
_ORA = re.compile(r"\b(?P<code>(?:ORA|TNS|DPY|DPI)-\d{4,5})\b")
_MYSQL = re.compile(r"\((?P<code>[12]\d{3}), u?['\"]|\bERROR (?P<shell>[12]\d{3}) \(")
_QUOTED = re.compile(
    r"['\"«»`“”‘’](?P<path>[^'\"«»`“”‘’]{1,300})['\"«»`“”‘’]|(?:: |file |path |^)(?P<bare>[\w.~/\\:<>$%*-]*[/\\.][\w.~/\\:<>$%*-]+)"
)

_FILES = [
    ("socket", r"\.sock(?:et)?$|\.s\.pgsql|mysqld\.sock|docker\.sock"),
    ("library", r"\.so(?:\.\d+)*$|\.dll$|\.dylib$|(?:^|[/\\])(?:java|javac|chromedriver|geckodriver|chrome|firefox|git|ffmpeg|Rscript|spark-submit|nvcc|gcc|pdftotext|tesseract|dot|node)(?:\.exe)?$|[/\\]s?bin[/\\][\w.-]+$|\.jar$"),
    ("config", r"\.(?:ini|cfg|conf|ya?ml|toml|env|properties|pem|key|crt|p12|netrc|pgpass)$|(?:^|[/\\])\.env(?:\.\w+)?$|(?:config|settings|credential|credentials|secret|secrets|token|service[_-]?account|client_secret|kubeconfig|params|parameters|keys)[\w.-]*\.(?:json|py|xml|txt|js)$|[/\\]\.(?:aws|config|kube|dbt|ssh|kaggle)[/\\]|[/\\]etc[/\\]|[/\\]secrets?[/\\]|kaggle\.json|profiles\.yml"),
    ("model", r"\.(?:pkl|pickle|joblib|pth|pt|onnx|ckpt|safetensors|pb|sav|keras|cbm|ubj|bst|tflite|gguf|mlmodel|engine|caffemodel|weights|model|index|lgb|pdparams|params)$|(?:^|[/\\._-])(?:models?|checkpoints?|ckpts?|weights|artifacts?|mlruns|saved_model|pretrained\w*|tokenizer|vocab)(?:[/\\._-]|$)|MLmodel|pytorch_model|adapter_model|label_encoder|scaler"),
    ("script", r"\.(?:py|sh|r|jl|pl|sql|ipynb|bat|ps1|js)$"),
]  # fmt: skip
_FILE_KINDS = [(kind, re.compile(words, re.IGNORECASE)) for kind, words in _FILES]

_SHOWN = {
    "certificate": r"certificate[_ ]verify[_ ]failed|certificate verif|ssl certificate|self[- ]signed certificate|unable to get (?:local )?issuer|certificate (?:has |is )?(?:expired|not trusted|invalid|signed by)|x509:|pkix path|suncertpath|sslcertverification|unable to find valid certification|certificate (?:is )?not (?:yet )?valid|hostname .{0,120}doesn'?t match|certificate subject name|unable_to_verify_leaf|depth_zero_self_signed|cert_has_expired|certificate unknown|no alternative certificate|issuer certificate|certificate problem|err_cert|sec_error_|self_signed_cert|unknown ca\b|tlsv1 alert unknown ca|zertifikat|certificat |证书|証明書|certificate cn|server certificate|ca (?:cert|bundle)|invalid path: .*cacert|bad certificate|certificate required",
    "proxy": r"proxyerror|cannot connect to proxy|unable to connect to proxy|tunnel connection failed|proxy authentication|http code 40[37] from proxy|proxy connect|err_proxy|err_tunnel|407 proxy|response from proxy|proxy responded|connect tunnel failed",
    "timeout": r"tim(?:ed|e)[- ]?out|timeouterror|zeitüberschreitung|délai d'attente|超时|タイムアウト|deadline exceeded|etimedout",
    "lock": r"\block|deadlock|locked|sperr|verrou|锁|ロック",
    "url": r"https?://|httpsconnectionpool|httpconnectionpool",
    "object-store": r"s3://|gs://|abfss?://|wasbs?://|\bbucket\b|\bblob\b|getobject|headobject|storage\.googleapis|\.s3\.|blob\.core\.windows",
    "date-suffix": r"(?:table|tabelle|view|dataset)\b.{0,120}(?:_|\.|\$|-)?(?:19|20)\d{2}[-_]?\d{2}[-_]?\d{2}",
    "none-type": r"'nonetype'|nonetype",
    "none-value": r"got none|not none|is none\b",
    "empty-value": r"'' ?$|\"\" ?$|: ''|got '' |empty string|is empty|not be empty|string '' ?|url '' |' '$",
    "response-json": r"json\.decoder|jsondecodeerror|expecting value: line 1 column 1 \(char 0\)",
    "login": r"log ?in|password|credential|token|api[_ -]?key|authenticat|session expired|identity",
    "model": r"model|checkpoint|state_dict|estimator|pipeline|weights",
}  # fmt: skip
_SHOWN_FACTS = [(f"says:{name}", re.compile(words)) for name, words in _SHOWN.items()]
_CODE_SHOWS = {
    "environ": r"os\.environ|getenv|env\[|environ\[|config\[|settings\[|secrets\[|st\.secrets|Variable\.get|userdata\.get",
    "configparser": r"configparser|cfg\.get|config\.get\(|conf\.get\(|parser\.get\(|config\[",
    "response": r"response|\bresp\b|\br\.json|\bres\b|\.json\(|requests\.|urlopen|\.content|\.text\b|fetch|payload|\bapi[._(]|_api\b|\bdata_json|json_data|json\.loads|scrape|soup|find_element|\.info\b|reply|\bjson\b|html",
    "json-file": r"json\.load\(|open\(|read_json|with open",
    "frame": r"\bdf\w*\[|df_\w+|\w*_df\b|\bdf\.|\.loc\[|groupby|\.columns|merge\(|sort_values|set_index|drop\(|read_csv|dataframe|frame\[|data\[\[|data\['",
    "read": r"read_|load\w*\(|open\(|np\.load|loadtxt|genfromtxt|glob|imread|parse|fread|readRDS",
    "write": r"to_csv|to_parquet|to_excel|to_pickle|savefig|\.save\(|open\([^)]*['\"][wax]b?\+?t?['\"]|makedirs|mkdir|write_|dump\(|FileHandler|savetxt|imwrite",
    "model": r"load_model|load_state_dict|joblib\.load|pickle\.load|torch\.load|from_pretrained|model|checkpoint|load_weights|\.predict|unpickle|Booster|restore|inference|scorer?\b",
    "assert": r"^assert ",
    "data": r"data|df|frame|row|column|record|table|csv|count|len\(|shape|isna|isnull|null|unique|duplicat|expected",
    "length": r"len\(|\.size|\.count\(|/ ?n\b|total|\.sum\(|num_|n_samples|count",
    "convert": r"\bfloat\(|\bint\(|to_numeric|astype|to_datetime|strptime|Decimal\(|fromisoformat|parse\(",
    "index": r"\[-?\d+\]|\.iloc|\[i\]|\.pop\(|split\(",
}  # fmt: skip
_CODE_FACTS = [(f"code:{name}", re.compile(words, re.IGNORECASE)) for name, words in _CODE_SHOWS.items()]


def facts_of(statement: Statement, around: str = "") -> frozenset[str]:
    """The tags of one statement; `around`: the whole log in lower case, for what only the neighbourhood tells (the peer)."""
    text = statement.text
    lower = text.lower()
    found = {f"kind:{statement.kind}"}
    found.update(_libraries(statement))
    found.update(_codes(text, lower))
    found.update(name for name, words in _SHOWN_FACTS if words.search(lower))
    shown = "\n".join(statement.code[-4:])
    found.update(name for name, words in _CODE_FACTS if words.search(shown))
    found.update(_functions(statement.frames))
    if (
        "errno:ENOENT" in found
        or "errno:EACCES" in found
        or "http:404" in found
        or "not found" in lower
        or "not exist" in lower
        or "not a file" in lower
    ):
        found.update(_file_kinds(text))
    found.update(_peer(found, lower, around))
    return frozenset(found)


def _libraries(statement: Statement) -> set[str]:
    """Where it was raised: `in:pandas` for each library passed through, `at:` the deepest one, `own:last` if the job's own code is last."""
    named = [library_of(frame) for frame in statement.frames if frame.file]
    found = {f"in:{name}" for name in named if name}
    found.update(f"in:{name.partition('.')[0].lstrip('_')}" for name in statement.types if "." in name)
    found.update(f"in:{name.partition('.')[0]}" for name in statement.types if "." in name)
    if named:
        found.add(f"at:{named[-1]}" if named[-1] else "at:own")
    else:
        found.add("frames:none")
    return found


def library_of(frame: Frame) -> str:
    """The installed package, or module of Python's own, that a frame is of; empty for the job's own code."""
    file = frame.file
    if found := _PACKAGE.search(file):
        return found["name"] or found["egg"] or found["zip"] or ""
    if found := _STANDARD.search(file):
        name = found["name"] or found["other"] or ""
        return name if name in _STANDARD_NAMES or not frame.own else ""
    first = file.replace("\\", "/").split("/")
    known = DATABASES | WEB | _SCIENCE | {"sqlalchemy"}
    return next(
        (part for part in (segment.removesuffix(".py").removesuffix(".pyx") for segment in first) if part in known),
        "" if frame.own else "python",
    )


_SCIENCE = frozenset(
    "pandas numpy scipy sklearn xgboost lightgbm catboost torch tensorflow keras statsmodels prophet pyarrow polars dask distributed ray pyspark py4j airflow "
    "prefect papermill nbclient nbconvert transformers datasets pydantic pandera great_expectations openpyxl xlrd fastparquet h5py tables joblib cloudpickle "
    "geopandas fiona rasterio xarray netCDF4 matplotlib mlflow yaml celery dbt shapely jsonschema marshmallow bs4 cupy jax optuna spacy nltk cv2 PIL".split()
)


def _codes(text: str, lower: str) -> set[str]:
    found: set[str] = set()
    codes = {match["code"] for match in _STATUS.finditer(text[:3000])} | {match["code"] for match in _STATUS_WORDS.finditer(text[:3000])}
    codes |= {_GRPC[match["name"]] for match in _GRPC_STATUS.finditer(text[:3000])}
    for code in codes:
        found.update((f"http:{code}", f"http:{code[0]}xx"))
    for match in _ERRNO.finditer(text):
        number = next(group for group in match.groups() if group is not None)
        if name := _ERRNOS.get(int(number)):
            found.add(f"errno:{name}")
    found.update(f"errno:{name}" for name, words in _WORDED_ERRNO if words.search(lower))
    found.update(f"sqlstate:{match['state']}" for match in _SQLSTATE.finditer(text) if any(map(str.isdigit, match["state"])))
    found.update(f"ora:{match['code']}" for match in _ORA.finditer(text))
    found.update(f"mysql:{match['code'] or match['shell']}" for match in _MYSQL.finditer(text))
    return found


def _functions(frames: Iterable[Frame]) -> set[str]:
    """What the trace passed through, by names of functions that every version has had."""
    names = " ".join(f"{frame.function or ''} {frame.file}" for frame in frames).lower()
    found = {f"through:{name}" for name, words in _THROUGH if words.search(names)}
    return found


_THROUGH = [
    ("pandas-index", re.compile(r"get_loc|_get_indexer|_raise_if_missing|_validate_read_indexer|_convert_to_indexer|_getitem_array|hashtable|indexing\.py|_get_label_or_level|core.frame|core.generic|core.series")),
    ("unpickling", re.compile(r"pickle|joblib|load_state_dict|torch.serialization|load_model|from_pretrained|unpickler|load_weights|saving")),
    ("environ", re.compile(r"[/\\]os\.py")),
    ("subprocess", re.compile(r"subprocess|_execute_child|popen")),
    ("import", re.compile(r"importlib|<frozen importlib")),
    ("reading", re.compile(r"read_|_read|load|open|parsers?|from_csv|reader")),
    ("predict", re.compile(r"predict|transform|score|inference|check_n_features|_validate_data|validate_features")),
    ("http", re.compile(r"urllib3?|requests|httpx|http[/\\]client|aiohttp|urlopen|httplib")),
    ("writing", re.compile(r"to_csv|to_parquet|to_excel|savefig|makedirs|mkdir|csvs\.py|filehandler|_save|write|dump|to_file|save")),
    ("json", re.compile(r"json[/\\.]|simplejson|\.json\b")),
]  # fmt: skip


def _file_kinds(text: str) -> set[str]:
    """What kind of file is meant, by the paths that the text names; data unless it is another."""
    paths = [(match["path"] or match["bare"]).strip() for match in _QUOTED.finditer(text[:1500])]
    paths = [path for path in paths if re.search(r"[/\\.]|^[\w-]+$", path) and not re.match(r"\[?Errno|<class", path)]
    kinds = {kind for path in paths for kind, words in _FILE_KINDS if words.search(path)}
    first = next((kind for kind, _ in _FILES if kind in kinds), None)
    if first is None and not paths:
        return {"file:unnamed"}
    bare = bool(paths) and all(re.fullmatch(r"[\w+-]+(?:\.exe)?", path) for path in paths)
    return {
        f"file:{first or 'data'}",
        *({"file:bare-name"} if bare else set()),
        *({"file:dated"} if any(re.search(r"20\d\d[-_/]?\d\d", path) for path in paths) else set()),
    }


_DB_WORDS = re.compile(
    r"postgres|psycopg|mysql|mariadb|oracle|sqlserver|sql server|odbc|jdbc|mongo|redis|kafka|rabbitmq|amqp|cassandra|snowflake|database|datenbank|base de données|数据库|データベース"
    r"|could not connect to server|:(?:5432|3306|1433|1521|27017|9092|6379|5672|9042|9200|8123)\b|port (?:5432|3306|1433|1521|27017|6379)|broker|clickhouse|sqlalchemy|pgbouncer|elasticsearch|opensearch|zookeeper|memcached|sqlite|milvus|redshift"
)
_WEB_WORDS = re.compile(
    r"https?://|httpsconnectionpool|httpconnectionpool|curl|wget|urlopen|requests\.|urllib|httpx|aiohttp|\bapi\b|endpoint|webdriver|ftp|\bhttp\b|axios|fetch failed"
)


def _peer(found: set[str], lower: str, around: str) -> set[str]:
    """Who was spoken to: a database or broker, or something like HTTP; what the statement says itself comes first."""
    libraries = {name[3:] for name in found if name.startswith("in:")}
    web, db = bool(libraries & WEB) or bool(_WEB_WORDS.search(lower)), bool(libraries & DATABASES) or bool(_DB_WORDS.search(lower))
    if "httpsconnectionpool" in lower or "httpconnectionpool" in lower:
        return {"peer:http"}
    if db and not (web and "://" in lower and re.search(r"https?://", lower) and not libraries & DATABASES):
        return {"peer:db"}
    if web:
        return {"peer:http"}
    if around and _DB_WORDS.search(around):
        return {"near:db"} if not _WEB_WORDS.search(around) else {"near:both"}
    return {"near:http"} if around and _WEB_WORDS.search(around) else set()
