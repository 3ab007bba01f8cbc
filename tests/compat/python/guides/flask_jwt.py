# The "Backend Integration" guide, Flask with local verification. As it stands there.
import jwt
from jwt import PyJWKClient
from jwt.exceptions import InvalidTokenError

# You can cache this and refresh it with a low frequency
jwks_client = PyJWKClient("https://api.stack-auth.com/api/v1/projects/<your-project-id>/.well-known/jwks.json")

def verify_jwt_token(access_token):
    """
    Verify JWT token and extract user information
    Returns user data or None if invalid
    """
    try:
        signing_key = jwks_client.get_signing_key_from_jwt(access_token)
        payload = jwt.decode(
            access_token,
            signing_key.key,
            algorithms=["ES256"],
            audience="<your-project-id>",
        )
        return {
            'user_id': payload['sub'],
            'is_anonymous': payload.get('role') == 'anon'
        }
    except InvalidTokenError:
        return None
    except Exception:
        return None

from flask import Flask, request, jsonify
from functools import wraps

app = Flask(__name__)

def authenticate_user(request):
    """Extract and verify access token from request headers"""
    access_token = request.headers.get('X-Stack-Access-Token')
    if not access_token:
        return None
    return verify_jwt_token(access_token)

def require_auth(f):
    @wraps(f)
    def decorated_function(*args, **kwargs):
        user = authenticate_user(request)
        if not user:
            return jsonify({'error': 'Unauthorized'}), 401
        return f(user, *args, **kwargs)
    return decorated_function

@app.route('/api/users/me')
@require_auth
def get_current_user(user):
    return jsonify({
        'user_id': user['user_id'],
        'is_anonymous': user['is_anonymous']
    })
