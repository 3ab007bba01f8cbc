# The "Authentication" guide: AuthManager, its Flask decorators, refresh and error handling. As it stands there,
# after a client of the shape that it takes from its setup page.
import os
from functools import wraps
from typing import Optional

import requests
from flask import Flask, g, jsonify, request

stack_project_id = os.getenv("STACK_PROJECT_ID")
stack_publishable_client_key = os.getenv("STACK_PUBLISHABLE_CLIENT_KEY")

class StackAuthClient:
    def _make_request(self, method, endpoint, access_type="client", access_token=None, **kwargs):
        headers = {
            'x-stack-access-type': access_type,
            'x-stack-project-id': stack_project_id,
            'x-stack-publishable-client-key': stack_publishable_client_key,
        }
        if access_token:
            headers['x-stack-access-token'] = access_token
        res = requests.request(method, f'https://api.stack-auth.com{endpoint}', headers=headers, timeout=10, **kwargs)
        res.raise_for_status()
        return res.json()

stack_auth = StackAuthClient()

class AuthManager:
    def __init__(self, stack_auth_client):
        self.client = stack_auth_client
        self.current_user_token: Optional[str] = None

    def authenticate_request(self, access_token: str) -> dict:
        """Verify and get user info from access token"""
        return self.client._make_request(
            'GET',
            '/api/v1/users/me',
            access_type="client",
            access_token=access_token
        )

    def refresh_token(self, refresh_token: str) -> dict:
        """Refresh an expired access token"""
        return self.client._make_request(
            'POST',
            '/api/v1/auth/sessions/current/refresh',
            access_type="client",
            json={'refresh_token': refresh_token}
        )

    def sign_out(self, access_token: str) -> bool:
        """Sign out the current user"""
        try:
            self.client._make_request(
                'DELETE',
                '/api/v1/auth/sessions/current',
                access_type="client",
                access_token=access_token
            )
            return True
        except Exception:
            return False

# Initialize auth manager
auth_manager = AuthManager(stack_auth)

def get_current_user_from_token(access_token: str) -> Optional[dict]:
    """Extract user info from access token"""
    try:
        # Verify token and get user
        user_info = auth_manager.authenticate_request(access_token)
        return user_info
    except Exception:
        return None

def require_auth(f):
    """Decorator that requires authentication"""
    @wraps(f)
    def decorated_function(*args, **kwargs):
        # Get token from header or cookie
        access_token = request.headers.get('Authorization')
        if access_token and access_token.startswith('Bearer '):
            access_token = access_token[7:]
        elif 'access_token' in request.cookies:
            access_token = request.cookies['access_token']
        else:
            return jsonify({'error': 'Authentication required'}), 401

        # Verify token and get user
        try:
            user_info = auth_manager.authenticate_request(access_token)
            g.current_user = user_info
            g.access_token = access_token
            return f(*args, **kwargs)
        except Exception as e:
            return jsonify({'error': 'Invalid token'}), 401
    return decorated_function

def optional_auth(f):
    """Decorator for optional authentication"""
    @wraps(f)
    def decorated_function(*args, **kwargs):
        access_token = request.headers.get('Authorization')
        if access_token and access_token.startswith('Bearer '):
            access_token = access_token[7:]
            try:
                user_info = auth_manager.authenticate_request(access_token)
                g.current_user = user_info
                g.access_token = access_token
            except Exception:
                g.current_user = None
        else:
            g.current_user = None
        return f(*args, **kwargs)
    return decorated_function

app = Flask(__name__)

@app.route('/profile')
@require_auth
def get_profile():
    """Get current user's profile - requires authentication"""
    return jsonify({
        'user': g.current_user,
        'message': 'This is your profile'
    })

@app.route('/public')
@optional_auth
def public_endpoint():
    """Public endpoint with optional user context"""
    if g.current_user:
        return jsonify({
            'message': f'Hello {g.current_user.get("display_name", "User")}!'
        })
    else:
        return jsonify({'message': 'Hello anonymous user!'})

def refresh_user_session(refresh_token: str) -> Optional[dict]:
    """Refresh user session and return new tokens"""
    try:
        token_response = auth_manager.refresh_token(refresh_token)
        return {
            'access_token': token_response['access_token'],
            'refresh_token': token_response['refresh_token']
        }
    except Exception as e:
        print(f"Token refresh failed: {e}")
        return None

class AuthError(Exception):
    def __init__(self, message: str, status_code: int = 401):
        self.message = message
        self.status_code = status_code
        super().__init__(self.message)

def handle_auth_errors(func):
    """Decorator to handle common authentication errors"""
    @wraps(func)
    def wrapper(*args, **kwargs):
        try:
            return func(*args, **kwargs)
        except requests.exceptions.HTTPError as e:
            if e.response.status_code == 401:
                raise AuthError("Invalid or expired token", 401)
            elif e.response.status_code == 403:
                raise AuthError("Insufficient permissions", 403)
            else:
                raise AuthError("Authentication error", e.response.status_code)
        except Exception as e:
            raise AuthError(f"Unexpected error: {str(e)}", 500)
    return wrapper
