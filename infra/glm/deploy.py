"""GLM-5 on Modal: SGLang behind an OpenAI-compatible URL that scales to zero.

Written from the documentation of SGLang and Modal and never deployed; see docs/glm-5.md.

    modal secret create glm-api-key GLM_API_KEY=$(openssl rand -hex 24)
    modal run infra/glm/deploy.py::download         # once: about 760 GB of weights into a volume, no GPU
    GLM_GPU=B200 modal deploy infra/glm/deploy.py   # or H200; prints the URL
    modal app stop agentswarm-glm                   # ends all costs of GPUs

Then set MODAL_GLM_URL=<the URL>, MODAL_GLM_API_KEY=<the key> and LLM_MODEL=glm-5, and run `npm run check:model`.
"""

import os
import subprocess

import modal

MINUTES = 60
PORT = 8000
GPUS = 8
IMAGES = {"B200": "lmsysorg/sglang:glm5-blackwell", "H200": "lmsysorg/sglang:glm5-hopper"}

GPU = os.environ.get("GLM_GPU", "B200")
MODEL = os.environ.get("GLM_MODEL", "zai-org/GLM-5-FP8")
# At most two, so that an error in this file cannot rent many GPUs.
MAX_CONTAINERS = int(os.environ.get("GLM_MAX_CONTAINERS", "1"))
# Seconds without a request before the eight GPUs are released. A new start costs several minutes of all of them.
IDLE_SECONDS = int(os.environ.get("GLM_IDLE_SECONDS", str(10 * MINUTES)))

if GPU not in IMAGES:
    raise SystemExit(f"GLM_GPU={GPU} is unknown: use one of {', '.join(IMAGES)}")
if not 1 <= MAX_CONTAINERS <= 2:
    raise SystemExit(f"GLM_MAX_CONTAINERS={MAX_CONTAINERS} must be 1 or 2")

WEIGHTS = "/weights"
app = modal.App("agentswarm-glm")
volume = modal.Volume.from_name("agentswarm-glm-weights", create_if_missing=True)
# This file is read again inside the container, where the variables of the deploying shell are not set.
chosen = {
    "GLM_GPU": GPU,
    "GLM_MODEL": MODEL,
    "GLM_MAX_CONTAINERS": str(MAX_CONTAINERS),
    "GLM_IDLE_SECONDS": str(IDLE_SECONDS),
    "HF_HUB_CACHE": WEIGHTS,
}
server_image = modal.Image.from_registry(IMAGES[GPU]).entrypoint([]).env({**chosen, "HF_HUB_OFFLINE": "1"})
download_image = modal.Image.debian_slim(python_version="3.12").pip_install("huggingface_hub[hf_xet]").env(chosen)


@app.function(image=download_image, volumes={WEIGHTS: volume}, cpu=8, memory=32768, timeout=6 * 60 * MINUTES)
def download():
    """Fetches the weights into the volume. A second run keeps the files that are there."""
    from huggingface_hub import snapshot_download

    snapshot_download(MODEL)
    volume.commit()


def server_command(api_key: str) -> list[str]:
    """SGLang with the arguments of GLM-5's makers: tensor parallel on all GPUs, speculative decoding by the MTP layer."""
    return [
        "python3",
        "-m",
        "sglang.launch_server",
        f"--model-path={MODEL}",
        "--served-model-name=glm-5",
        f"--tp-size={GPUS}",
        "--tool-call-parser=glm47",
        "--reasoning-parser=glm45",
        "--speculative-algorithm=EAGLE",
        "--speculative-num-steps=3",
        "--speculative-eagle-topk=1",
        "--speculative-num-draft-tokens=4",
        "--mem-fraction-static=0.85",
        "--enable-metrics",
        "--host=0.0.0.0",
        f"--port={PORT}",
        f"--api-key={api_key}",
    ]


@app.function(
    image=server_image,
    gpu=f"{GPU}:{GPUS}",
    volumes={WEIGHTS: volume.read_only()},
    secrets=[modal.Secret.from_name("glm-api-key", required_keys=["GLM_API_KEY"])],
    min_containers=0,
    max_containers=MAX_CONTAINERS,
    scaledown_window=IDLE_SECONDS,
    timeout=60 * MINUTES,
)
@modal.concurrent(max_inputs=64)
@modal.web_server(port=PORT, startup_timeout=40 * MINUTES)
def serve():
    """Starts the server. Modal passes requests on once the port answers."""
    subprocess.Popen(server_command(os.environ["GLM_API_KEY"]))
